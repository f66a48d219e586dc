import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../../../lib/base/explain.ts";
import { errorOf, noticesOf, read, refuses, REST } from "../../support/reading.ts";

const server = (text: string) => `mcp_servers: [{${text}}]`;

test("servers that are programs are read, their environment as text", () => {
  const config = read(`mcp_servers:
  - name: wandb
    command: uvx
    args: [wandb-mcp, 3]
    env: {WANDB_API_KEY: "\${WANDB_API_KEY}", PORT: 8080, DEBUG: yes, EMPTY: ""}
  - {name: b, command: ./b, tools: [look, look, ns/find]}
${REST}`);
  assert.deepEqual(config.mcpServers, [
    {
      name: "wandb",
      transport: "stdio",
      tools: undefined,
      command: "uvx",
      args: ["wandb-mcp", "3"],
      env: { WANDB_API_KEY: "${WANDB_API_KEY}", PORT: "8080", DEBUG: "yes", EMPTY: "" },
    },
    {
      name: "b",
      transport: "stdio",
      tools: ["look", "ns/find"],
      command: "./b",
      args: [],
      env: {},
    },
  ]);
});

test("servers that are addresses are read, with variables where there may be any", () => {
  const text = `mcp_servers:
  - {name: a, url: "https://mcp.example.org/mcp?v=1", headers: {Authorization: "Bearer \${TOKEN}"}}
  - {name: b, url: "\${B_URL}/mcp"}
  - {name: c, url: "http://localhost:\${PORT}/mcp"}
  - {name: d, url: "http://127.0.0.1:8000"}
${REST}`;
  const [a, ...others] = read(text).mcpServers;
  assert.deepEqual(a, {
    name: "a",
    transport: "http",
    tools: undefined,
    url: "https://mcp.example.org/mcp?v=1",
    headers: { Authorization: "Bearer ${TOKEN}" },
  });
  assert.deepEqual(others.map((one) => "url" in one && one.url), [
    "${B_URL}/mcp",
    "http://localhost:${PORT}/mcp",
    "http://127.0.0.1:8000",
  ]);
  assert.deepEqual(noticesOf(text), []);
  const open = `${server("name: a, url: http://mcp.example.org")}${REST}`;
  assert.deepEqual(noticesOf(open), [
    "1:30 Took mcp_servers[0].url over http: what is sent can be read on the way",
  ]);
});

test("a server needs a name of its own, and is a program or an address", () => {
  refuses([
    [
      server("name: hyperherd, command: x"),
      '1:22 Cannot read mcp_servers[0].name: found "hyperherd"',
    ],
    [server("name: Herd, command: x"), '1:22 Cannot read mcp_servers[0].name: found "Herd"'],
    [server("name: a b, command: x"), '1:22 Cannot read mcp_servers[0].name: found "a b"'],
    [
      server("name: a, command: x}, {name: a, command: y"),
      '1:38 Cannot use the name "a" for two servers: the first is on line 1',
    ],
    [
      server("name: a"),
      '1:15 Missing key "command" in mcp_servers[0]: expected the program to start, or "url"',
    ],
    [server("command: a"), '1:15 Missing key "name" in mcp_servers[0]'],
    [
      server("name: a, command: x, url: https://y.org"),
      '1:37 Cannot use "url" beside "command": a server is a program or an address',
    ],
    [
      server("name: a, url: https://y.org, args: [1], env: {A: b}"),
      '1:45 Cannot use "args" here: it goes with "command"',
      '1:56 Cannot use "env" here: it goes with "command"',
    ],
    [
      server("name: a, command: x, headers: {A: b}"),
      '1:37 Cannot use "headers" here: it goes with "url"',
    ],
    [
      server("name: a, comand: x"),
      '1:25 Unknown key "comand" in mcp_servers[0], allowed are name, command, args, env, url',
    ],
    [server("name: a, urll: x"), '1:25 Unknown key "urll" in mcp_servers[0]'],
    ["mcp_servers: {a: b}", "1:14 Cannot read mcp_servers: found a mapping, expected a list"],
    ["mcp_servers: [a]", '1:15 Cannot read mcp_servers[0]: found "a", expected a mapping with'],
  ]);
});

test("lists, names and addresses that cannot be meant are mistakes", () => {
  const address = 'expected an address such as "https://example.org/v1"';
  refuses([
    [server("name: a, command: x, tools: []"), "1:44 Cannot read mcp_servers[0].tools: found an"],
    [server("name: a, command: x, tools: [a b]"), "1:45 Cannot read mcp_servers[0].tools[0]"],
    [server("name: a, command: x, tools: look"), "1:44 Cannot read mcp_servers[0].tools: found"],
    [server("name: a, command: x, env: {a b: 1}"), '1:43 Cannot use "a b" as the name of an env'],
    [server("name: a, command: x, env: [A]"), "1:42 Cannot read mcp_servers[0].env: expected a m"],
    [
      server('name: a, url: "https://y.org", headers: {"A B": 1}'),
      '1:57 Cannot use "A B" as the name of a header',
    ],
    [
      server('name: a, url: "https://y.org", headers: {A: "b\\r\\nC: d"}'),
      "1:60 Cannot read mcp_servers[0].headers.A: expected one line of text",
    ],
    [
      server("name: a, url: y.org"),
      `1:30 Cannot read mcp_servers[0].url: found "y.org", ${address}`,
    ],
    [server("name: a, url: 'ftp://y.org'"), `1:30 Cannot read mcp_servers[0].url: found "ftp://y`],
    [server("name: a, url: 'https://'"), `1:30 Cannot read mcp_servers[0].url: found "https://"`],
    [server("name: a, url: 'https://a b'"), "1:30 Cannot read mcp_servers[0].url: found"],
    [server("name: a, url: [b]"), `1:30 Cannot read mcp_servers[0].url: found a list, ${address}`],
  ]);
});

test("only ${NAME} is a variable: anything else that begins like one is a mistake", () => {
  const said = 'found "${" without a name and "}" after it, expected a variable such as "${HF_TO';
  refuses([
    [
      server('name: a, command: x, args: ["${A:-b}"]'),
      `1:44 Cannot read mcp_servers[0].args[0]: ${said}`,
    ],
    [server('name: a, command: "${}"'), `1:34 Cannot read mcp_servers[0].command: ${said}`],
    [
      server('name: a, command: x, env: {A: "${A B}"}'),
      `1:46 Cannot read mcp_servers[0].env.A: ${said}`,
    ],
    [server('name: a, url: "https://a.org/${"'), `1:30 Cannot read mcp_servers[0].url: ${said}`],
  ]);
  const args = 'args: ["$HOME", "$$", "{A}", "$(id)", "${A}${B}"]';
  const { mcpServers: [one] } = read(`${server(`name: a, command: x, ${args}`)}${REST}`);
  assert.deepEqual(one?.transport === "stdio" && one.args, [
    "$HOME",
    "$$",
    "{A}",
    "$(id)",
    "${A}${B}",
  ]);
});

test("no message shows what may be a secret", () => {
  const texts = [
    server('name: a, command: x, env: {KEY: "hunter2\\n"}'),
    server('name: a, command: x, env: {KEY: "hunter2${A:-b}"}'),
    server("name: a, command: x, env: {KEY: [hunter2]}"),
    server("name: a, command: x, env: hunter2"),
    server('name: a, url: "https://y.org", headers: {Authorization: "hunter2\\u0007"}'),
    server('name: a, url: "https://me:hunter2@y.org"'),
    server('name: a, url: "https://hunter2@y.org/x y"'),
    server('name: a, url: "y.org?key=hunter2"'),
    "agent: {base_url: 'https://me:hunter2@y.org'}",
    "agent: {base_url: 'me:hunter2@y.org'}",
  ];
  for (const text of texts) {
    const error = errorOf(`${text}${REST}`);
    assert.ok(error.mistakes.length > 0, text);
    const shown = [explain(error, "terminal"), explain(error, "log"), explain(error, "json")];
    assert.ok(!JSON.stringify(shown).includes("hunter2"), `${text}\n${JSON.stringify(shown)}`);
  }
});
