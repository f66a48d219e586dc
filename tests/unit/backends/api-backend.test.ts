import assert from "node:assert/strict";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { BackendParts } from "../../../lib/backends/backend-parts.ts";
import type { WorkEnd } from "../../../lib/tasks/backend.ts";
import { createImpatientClock } from "../../support/agent-scene.ts";
import { type ModelServer, type ModelStep, startModelServer } from "../../support/model-server.ts";
import { type ChatStep, delta, startChatServer } from "./chat-server.ts";
import {
  backendOf,
  bubblewrap,
  createScene,
  failureOf,
  processesWith,
  type Scene,
  until,
} from "./scene.ts";

const KEY = "key-of-tests";

async function claude(
  scene: Scene,
  script: readonly ModelStep[],
  more: Partial<BackendParts> & { maxTurns?: number } = {},
): Promise<{ end: WorkEnd; server: ModelServer }> {
  const { maxTurns = 20, ...parts } = more;
  const server = await startModelServer(script);
  try {
    const backend = backendOf(
      { kind: "anthropic", baseUrl: server.url, apiKeyEnv: "MY_KEY", maxTurns },
      { clock: createImpatientClock(), env: { MY_KEY: KEY }, ...parts },
    );
    assert.doesNotMatch(backend.description, new RegExp(KEY));
    return { end: await backend.run(scene.work), server };
  } finally {
    await server.close();
  }
}

const use = (name: string, input: unknown): ModelStep => ({ reply: { calls: [{ name, input }] } });

test("a model works with files and commands, its last words are the result, each call's usage is told", async (t) => {
  const scene = createScene(t);
  const { end, server } = await claude(scene, [
    {
      reply: {
        calls: [{ name: "read_file", input: { path: "TASK.txt" } }],
        usage: { input: 50, output: 5, cacheWrite: 900 },
      },
    },
    {
      reply: {
        calls: [{ name: "shell", input: { command: "echo $((6*7)) > n; cat n" } }],
        usage: { input: 7, output: 6, cacheRead: 900 },
      },
    },
    { reply: { text: "It is 42.", usage: { input: 9, output: 3 } } },
  ]);
  assert.deepEqual(end, { kind: "done", result: "It is 42." });
  assert.deepEqual(
    scene.uses.map((
      { input, output, cacheRead, cacheWrite, usd },
    ) => [input, output, cacheRead, cacheWrite, usd]),
    [[50, 5, 0, 900, undefined], [7, 6, 900, 0, undefined], [9, 3, 0, 0, undefined]],
  );
  const [first, second, third] = server.requests();
  assert.match(first?.system ?? "", /^You are a worker\.\n\n/);
  assert.equal(first?.text, "Count the sheep.");
  assert.equal(first?.headers["x-api-key"], KEY);
  assert.match(second?.results[0]?.text ?? "", /Count the sheep\./);
  assert.match(third?.results[0]?.text ?? "", /^Exit code 0 after [\d.]+ s\n42\n$/);
  assert.match(scene.log(), /\[shell \{"command":"echo/);
  assert.match(scene.log(), /It is 42\./);
  assert.equal(scene.phases[0], "thinking");
});

test("RESULT.txt that the model wrote is the result; one that a command left is not", async (t) => {
  const written = createScene(t);
  const first = await claude(written, [
    use("write_file", { path: "RESULT.txt", content: "The long answer.\n" }),
    { reply: { text: "See the file." } },
  ]);
  assert.deepEqual(first.end, { kind: "done", result: "The long answer.\n" });
  const second = await claude(createScene(t), [
    use("shell", { command: "echo half > RESULT.txt" }),
    { reply: { text: "Said." } },
  ]);
  assert.deepEqual(second.end, { kind: "done", result: "Said." });
});

test("D.11.22: an empty RESULT.txt is no success", async (t) => {
  const { end } = await claude(createScene(t), [
    use("write_file", { path: "RESULT.txt", content: " \n" }),
    { reply: { fault: "stop", text: "", stop: "end_turn" } },
  ]);
  assert.equal(failureOf(end).cause, "no-result");
  assert.equal(failureOf(end).message, "RESULT.txt is empty");
});

test("D.11.23: usage is told of every call, of those that failed or were cut too", async (t) => {
  const scene = createScene(t);
  const { end } = await claude(scene, [
    { reply: { fault: "status", status: 529 } },
    { reply: { fault: "cut", text: "I was about", usage: { input: 40 } } },
    { reply: { fault: "error-event", type: "overloaded_error", message: "busy" } },
    { reply: { text: "Done.", usage: { input: 9, output: 3 } } },
  ]);
  assert.equal(end.kind, "done");
  assert.deepEqual(scene.uses.map(({ input }) => input), [40, 100, 9]);
  assert.ok(scene.uses.every(({ output }) => output > 0));
});

test("a server that is out for minutes is waited for, one that refuses is not", async (t) => {
  const clock = createImpatientClock(120_000);
  const busy: ModelStep = { reply: { fault: "status", status: 500 }, times: 7 };
  const { end } = await claude(createScene(t), [busy, { reply: { text: "Back." } }], { clock });
  assert.deepEqual(end, { kind: "done", result: "Back." });
  const limited = await claude(createScene(t), [
    { reply: { fault: "status", status: 429, retryAfter: "90" } },
    { reply: { text: "Now." } },
  ], { clock });
  assert.deepEqual(limited.end, { kind: "done", result: "Now." });
  const refused = failureOf(
    (await claude(createScene(t), [{
      reply: { fault: "status", status: 401, message: `No ${KEY}` },
    }])).end,
  );
  assert.deepEqual([refused.cause, refused.passing], ["model", false]);
  assert.doesNotMatch(refused.message, new RegExp(KEY));
  const out = await claude(createScene(t), [
    { reply: { fault: "status", status: 503 }, times: Infinity },
  ], { clock });
  assert.deepEqual([failureOf(out.end).passing, out.server.requests().length], [true, 8]);
});

test("malformed input, unknown tools and paths that lead out are told to the model, which goes on", async (t) => {
  const scene = createScene(t);
  writeFileSync(join(scene.outside, "secret"), "hush");
  symlinkSync(join(scene.outside, "secret"), join(scene.folder, "link"));
  const { end, server } = await claude(scene, [
    { reply: { fault: "input", name: "read_file", json: '{"path": ' } },
    use("read_files", { path: "x" }),
    use("read_file", { path: "link" }),
    use("write_file", { path: "../mine", content: "x" }),
    use("shell", { command: `cat ${scene.outside}/secret` }),
    { reply: { text: "Done." } },
  ], { wrap: bubblewrap });
  assert.equal(end.kind, "done");
  const told = server.requests().slice(1).map(({ results }) => results[0]?.text ?? "");
  assert.match(told[0] ?? "", /not valid JSON/);
  assert.match(told[1] ?? "", /did you mean read_file/);
  assert.match(told[2] ?? "", /outside the task's folder/);
  assert.match(told[3] ?? "", /outside the task's folder/);
  assert.match(told[4] ?? "", /No such file/);
  assert.equal(existsSync(join(scene.outside, "mine")), false);
});

test("in a read-only sandbox no tool writes, and the answer is the result", async (t) => {
  const scene = createScene(t, { sandbox: { level: "read-only", network: false } });
  const { end, server } = await claude(scene, [
    use("write_file", { path: "x", content: "x" }),
    use("shell", { command: "echo x > x" }),
    { reply: { text: "Only looked." } },
  ], { wrap: bubblewrap });
  assert.deepEqual(end, { kind: "done", result: "Only looked." });
  assert.deepEqual(server.requests()[0]?.tools, ["list_files", "read_file", "search", "shell"]);
  assert.equal(existsSync(join(scene.folder, "x")), false);
});

test("the same command may be run again and again", async (t) => {
  const scene = createScene(t);
  const again: ModelStep = { ...use("shell", { command: "echo x >> count" }), times: 5 };
  const { end } = await claude(scene, [again, { reply: { text: "Done." } }]);
  assert.equal(end.kind, "done");
  assert.equal(readFileSync(join(scene.folder, "count"), "utf8"), "x\n".repeat(5));
});

test("a sandbox that this machine cannot give is refused before anything is asked or run", async (t) => {
  const { end, server } = await claude(createScene(t), [{ reply: { text: "Done." } }], {
    wrap: () => ({ refused: "No sandbox on this machine: install bubblewrap" }),
  });
  const { cause, message, passing } = failureOf(end);
  assert.deepEqual([cause, passing], ["refused", false]);
  assert.equal(message, "No sandbox on this machine: install bubblewrap");
  assert.equal(server.requests().length, 0);
});

test("a budget is kept, and refused where the price is not known", async (t) => {
  const scene = createScene(t, { budgetUsd: 0.05 });
  const { end } = await claude(scene, [
    {
      reply: {
        calls: [{ name: "list_files", input: {} }],
        usage: { input: 20_000, output: 1_000 },
      },
    },
    { reply: { text: "Never asked." } },
  ]);
  const failed = failureOf(end);
  assert.deepEqual([failed.cause, failed.message, failed.passing], [
    "budget",
    "The budget of $0.05 is used up, or has no room for another call",
    false,
  ]);
  const unknown = await claude(createScene(t, { budgetUsd: 5, model: "some/model" }), []);
  assert.equal(failureOf(unknown.end).cause, "budget");
  assert.match(failureOf(unknown.end).message, /price of "some\/model" is not known/);
  const prices = { "some/model": { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 } };
  const known = await claude(createScene(t, { budgetUsd: 5, model: "some/model" }), [
    { reply: { text: "Done." } },
  ], { prices });
  assert.equal(known.end.kind, "done");
});

test("a model that never comes to an answer, declines or says nothing is a failure with its cause", async (t) => {
  const causes = [];
  for (
    const script of [
      [{ ...use("list_files", {}), times: Infinity }],
      [{ reply: { fault: "stop", text: "I will not", stop: "refusal" } }],
      [{ reply: { fault: "stop", text: "", stop: "end_turn" } }],
    ] satisfies ModelStep[][]
  ) {
    const { end } = await claude(createScene(t), script, { maxTurns: 3 });
    causes.push([failureOf(end).cause, failureOf(end).passing]);
  }
  assert.deepEqual(causes, [["no-result", false], ["model", false], ["no-result", true]]);
});

test("thinking is asked for as effort where the model takes it", async (t) => {
  const of = async (model: string) => {
    const scene = createScene(t, { model, thinking: "high" });
    const { server } = await claude(scene, [{ reply: { text: "Done." } }]);
    return server.requests()[0]?.body["output_config"];
  };
  assert.deepEqual(await of("claude-opus-5-5"), { effort: "high" });
  assert.equal(await of("claude-haiku-4-5"), undefined);
});

test("an abort during a command or a call ends both, and leaves no process", async (t) => {
  const scene = createScene(t);
  const mark = `8${Date.now()}`;
  const server = await startModelServer([
    use("shell", { command: `setsid sleep ${mark} & trap '' TERM; sleep ${mark}; sleep ${mark}` }),
  ]);
  t.after(() => server.close());
  const config = { kind: "anthropic", baseUrl: server.url, apiKey: KEY } as const;
  const running = backendOf(config).run(scene.work);
  await until("the command runs", () => processesWith(mark).length >= 3);
  scene.abort();
  assert.equal((await running).kind, "aborted");
  assert.deepEqual(processesWith(mark), []);

  const second = createScene(t);
  const silent = await startModelServer([{ reply: { fault: "silence", text: "Well" } }]);
  t.after(() => silent.close());
  const waiting = backendOf({ ...config, baseUrl: silent.url }).run(second.work);
  await second.logged("Well");
  second.abort();
  assert.deepEqual(await waiting, { kind: "aborted", partial: "Well" });
  assert.equal(second.uses.length, 1);
});

test("what the listener cannot record stops the spending", async (t) => {
  const scene = createScene(t, { onUse: () => Promise.reject(new Error("the disk is full")) });
  const { end, server } = await claude(scene, [
    use("list_files", {}),
    { reply: { text: "Done." } },
  ]);
  assert.match(failureOf(end).message, /Cannot record what the model cost: the disk is full/);
  assert.equal(server.requests().length, 1);
});

async function chat(scene: Scene, steps: readonly ChatStep[], more: Record<string, unknown> = {}) {
  await using server = await startChatServer(steps);
  const backend = backendOf(
    { kind: "openai", baseUrl: server.url, apiKey: KEY, headers: { "X-Title": "herd" }, ...more },
    { clock: createImpatientClock() },
  );
  return { end: await backend.run(scene.work), requests: server.requests };
}

test("any server of chat completions works on a task with the same tools", async (t) => {
  const scene = createScene(t, { model: "qwen/coder" });
  const { end, requests } = await chat(scene, [
    { calls: [{ name: "shell", input: { command: "echo made > file" } }] },
    {
      events: [
        delta({
          tool_calls: [{ index: 0, id: "c", function: { name: "read_file", arguments: "{oops" } }],
        }, "tool_calls"),
      ],
    },
    { status: 429, error: { message: "slow down" }, retryAfter: "1" },
    { status: 500, error: { message: "oops" } },
    { events: [delta({ content: "Half" })], end: "break" },
    {
      events: [delta({ content: "Made." }, "stop"), {
        choices: [],
        usage: {
          prompt_tokens: 90,
          completion_tokens: 4,
          prompt_tokens_details: { cached_tokens: 80 },
          cost: 0.002,
        },
      }],
    },
  ]);
  assert.deepEqual(end, { kind: "done", result: "Made." });
  assert.equal(readFileSync(join(scene.folder, "file"), "utf8"), "made\n");
  assert.equal(requests[0]?.headers["x-title"], "herd");
  const tools = requests[0]?.body["tools"] as { function: { name: string } }[];
  assert.deepEqual(tools.map((tool) => tool.function.name), [
    "edit_file",
    "list_files",
    "read_file",
    "search",
    "shell",
    "write_file",
  ]);
  assert.match(String(requests[2]?.body.messages.at(-1)?.content), /^Error: .*not valid JSON/);
  assert.deepEqual(scene.uses.at(-1), {
    model: "qwen/coder",
    input: 10,
    output: 4,
    cacheRead: 80,
    cacheWrite: 0,
    usd: 0.002,
  });
  // Both calls of tools, the one that was cut, and the last.
  assert.equal(scene.uses.length, 4);
});

test("a task that names no model is refused where the server has no default", async (t) => {
  const { end, requests } = await chat(createScene(t), []);
  assert.equal(failureOf(end).cause, "refused");
  assert.equal(requests.length, 0);
});

test("what the server says that it cost counts for the budget, more than the table of prices", async (t) => {
  const free = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  await using server = await startChatServer([
    {
      events: [
        delta(
          { tool_calls: [{ index: 0, id: "c", function: { name: "list_files" } }] },
          "tool_calls",
        ),
        { choices: [], usage: { prompt_tokens: 9, completion_tokens: 4, cost: 0.6 } },
      ],
    },
    { text: "Never asked." },
  ]);
  const scene = createScene(t, { model: "m", budgetUsd: 0.5 });
  const backend = backendOf({ kind: "openai", baseUrl: server.url }, { prices: { m: free } });
  assert.equal(failureOf(await backend.run(scene.work)).cause, "budget");
  assert.equal(server.requests.length, 1);
  assert.equal(server.requests[0]?.headers.authorization, undefined);
});
