import { test } from "node:test";
import assert from "node:assert/strict";
import { createMcpServer } from "../../../lib/agent/mcp-server.ts";
import type { Tool, ToolResult } from "../../../lib/agent/tool.ts";

const NEVER = new AbortController().signal;

function tool(name: string, run: Tool["run"], acts = false): Tool {
  const schema = { type: "object", properties: { index: { type: "integer" } } };
  return { name, description: `Does ${name}`, schema, acts, run };
}

function said(text: string): Promise<ToolResult> {
  return Promise.resolve({ text, isError: false });
}

/** A client's side: lines go in, documents come out in the order in which they were written. */
function channel(signal: AbortSignal = NEVER) {
  const waiting: Uint8Array[] = [];
  const written: unknown[] = [];
  const problems: string[] = [];
  let wake = () => {};
  let closed = false;
  const heard = new Set<() => void>();
  async function* input() {
    while (true) {
      while (waiting.length > 0) yield waiting.shift()!;
      if (closed) return;
      await new Promise<void>((resolve) => wake = resolve);
    }
  }
  return {
    written,
    problems,
    send(message: unknown) {
      const text = typeof message === "string" ? message : JSON.stringify(message);
      waiting.push(new TextEncoder().encode(`${text}\n`));
      wake();
    },
    close() {
      closed = true;
      wake();
    },
    async answered(count: number) {
      while (written.length < count) await new Promise<void>((resolve) => heard.add(resolve));
    },
    side: {
      input: input(),
      write(line: string) {
        assert.ok(line.endsWith("\n") && !line.slice(0, -1).includes("\n"), "one line per message");
        written.push(JSON.parse(line));
        for (const resolve of heard) resolve();
        heard.clear();
      },
      signal,
      onProblem: (message: string) => problems.push(message),
    },
  };
}

const HELLO = [
  {
    jsonrpc: "2.0",
    id: 0,
    method: "initialize",
    params: {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    },
  },
  { jsonrpc: "2.0", method: "notifications/initialized" },
];

const call = (id: number, name: string, args: unknown = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});

// deno-lint-ignore no-explicit-any
type Any = any;

test("a client that pipes its requests in and closes gets every answer, and the server ends", async () => {
  const client = channel();
  const server = createMcpServer({
    tools: [
      tool("read_state", () => said("all is well")),
      tool("stop_all", () => said("stopped"), true),
    ],
    name: "herd",
    version: "1.2.3",
    instructions: "One sweep",
  });
  for (const message of HELLO) client.send(message);
  client.send({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  client.send(call(2, "read_state"));
  client.close();
  await server.serve(client.side);
  const byId = new Map(client.written.map((one: Any) => [one.id, one.result]));
  assert.deepEqual(byId.get(0).serverInfo, { name: "herd", version: "1.2.3" });
  assert.equal(byId.get(0).instructions, "One sweep");
  assert.deepEqual(
    byId.get(1).tools.map((
      one: Any,
    ) => [one.name, one.inputSchema.type, one.annotations.readOnlyHint]),
    [["read_state", "object", true], ["stop_all", "object", false]],
  );
  assert.deepEqual(byId.get(2), {
    content: [{ type: "text", text: "all is well" }],
    isError: false,
  });
  assert.deepEqual(client.problems, []);
});

test("tools run side by side, and the server ends only when they have", async () => {
  const client = channel();
  let release = () => {};
  const slow = new Promise<void>((resolve) => release = resolve);
  let finished = false;
  const server = createMcpServer({
    tools: [
      tool("slow", async () => {
        await slow;
        finished = true;
        return await said("slow");
      }),
      tool("quick", () => said("quick")),
    ],
    name: "herd",
    version: "1",
  });
  for (const message of HELLO) client.send(message);
  const serving = server.serve(client.side);
  client.send(call(1, "slow"));
  client.send(call(2, "quick"));
  await client.answered(2);
  assert.deepEqual(client.written.map((one: Any) => one.id), [0, 2]);
  client.close();
  release();
  await serving;
  assert.equal(finished, true);
  assert.equal((client.written.at(-1) as Any).id, 1);
});

test("a client's cancellation and the end of the process reach the tool", async () => {
  const stop = new AbortController();
  const client = channel(stop.signal);
  const aborted: string[] = [];
  const begun = new Set<() => void>();
  const running = tool("wait", (input, signal) =>
    new Promise((resolve) => {
      for (const tell of begun) tell();
      const end = () => {
        aborted.push(JSON.stringify(input));
        resolve({ text: "interrupted", isError: true });
      };
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
    }));
  const server = createMcpServer({ tools: [running], name: "herd", version: "1" });
  for (const message of HELLO) client.send(message);
  const serving = server.serve(client.side);
  const started = () => new Promise<void>((resolve) => begun.add(resolve));
  let next = started();
  client.send(call(1, "wait", { index: 1 }));
  await next;
  client.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
  next = started();
  client.send(call(2, "wait", { index: 2 }));
  await next;
  assert.deepEqual(aborted, ['{"index":1}']);
  stop.abort();
  await serving;
  assert.deepEqual(aborted, ['{"index":1}', '{"index":2}']);
});

test("an unknown tool, a tool that throws and a missing argument list are sentences", async () => {
  const client = channel();
  const server = createMcpServer({
    tools: [
      tool("read_state", (input) => said(JSON.stringify(input))),
      tool("broken", () => Promise.reject(new Error("disk is full"))),
    ],
    name: "herd",
    version: "1",
  });
  for (const message of HELLO) client.send(message);
  client.send(call(1, "read_sate"));
  client.send(call(2, "broken"));
  client.send({ jsonrpc: "2.0", id: 3, method: "tools/call", params: { name: "read_state" } });
  client.close();
  await server.serve(client.side);
  const text = (id: number) => {
    const { result } = client.written.find((one: Any) => one.id === id) as Any;
    return [result.isError, result.content[0].text];
  };
  assert.deepEqual(text(1), [
    true,
    'Cannot run "read_sate": there is no such tool; the nearest is "read_state"',
  ]);
  assert.deepEqual(text(2), [true, 'Cannot run "broken": disk is full']);
  assert.deepEqual(text(3), [false, "{}"]);
});

test("junk is answered with an error and does not end the connection; an unknown method is one too", async () => {
  const client = channel();
  const server = createMcpServer({
    tools: [tool("a", () => said("a"))],
    name: "herd",
    version: "1",
  });
  client.send("this is no JSON");
  client.send("[1, 2]");
  client.send({ jsonrpc: "2.0" });
  client.send({ nothing: true });
  client.send({ jsonrpc: "2.0", id: 7, method: "no/such" });
  for (const message of HELLO) client.send(message);
  client.send({ jsonrpc: "2.0", id: 8, method: "tools/call", params: { name: 5 } });
  client.send(call(9, "a"));
  client.close();
  await server.serve(client.side);
  const codes = client.written.flatMap((one: Any) =>
    one.error === undefined ? [] : [[one.id, one.error.code]]
  );
  assert.deepEqual(codes.slice(0, 2), [[null, -32700], [null, -32700]]);
  assert.ok(codes.some(([id, code]) => id === 7 && code === -32601), JSON.stringify(codes));
  assert.ok(codes.some(([id]) => id === 8));
  assert.ok(client.written.some((one: Any) => one.id === 9 && one.result.content[0].text === "a"));
});

test("a message in pieces is read whole, one without a newline at the end too, and an endless one ends it", async () => {
  const bytes = new TextEncoder().encode(
    [...HELLO, call(1, "echo", { text: "ä😀" })].map((one) => JSON.stringify(one)).join("\n"),
  );
  const client = channel();
  const server = createMcpServer({
    tools: [tool("echo", (input) => said((input as Any).text))],
    name: "herd",
    version: "1",
  });
  async function* inPieces() {
    for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
  }
  await server.serve({ ...client.side, input: inPieces() });
  assert.equal((client.written.at(-1) as Any).result.content[0].text, "ä😀");
  async function* endless() {
    while (true) yield new Uint8Array(1024 * 1024).fill(120);
  }
  await server.serve({ ...client.side, input: endless() });
  assert.match(client.problems.at(-1)!, /longer than 4194304 bytes/);
});
