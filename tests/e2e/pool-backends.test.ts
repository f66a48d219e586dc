import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TaskDocument } from "../../lib/tasks/task-document.ts";
import { livePool } from "../support/live-pool.ts";
import type { LivePool } from "../support/live-pool.ts";
import { startModelServer } from "../support/model-server.ts";
import type { ModelReply, ModelStep } from "../support/model-server.ts";
import { delta, startChatServer } from "../unit/backends/chat-server.ts";

/** Runs a task to its end, whatever that is. */
async function done(pool: LivePool, text: string, ...more: string[]): Promise<TaskDocument> {
  const { stdout, stderr } = await pool.run(
    ...["task", "submit", "--wait", "--json", ...more, "--", text],
  );
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout);
}

function steps(cases: Record<string, readonly (ModelReply | [ModelReply, number])[]>): ModelStep[] {
  return Object.entries(cases).flatMap(([name, replies]) =>
    replies.map((one): ModelStep => {
      const [reply, times] = Array.isArray(one) ? one as [ModelReply, number] : [one, 1];
      return { reply, times, when: ({ body }) => JSON.stringify(body).includes(name) };
    })
  );
}

const status = (code: number, more: object = {}): ModelReply => (
  { fault: "status", status: code, ...more } as ModelReply
);
const LIST = { calls: [{ name: "list_files", input: {} }] };

test("anthropic: what passes is tried again, what does not is told, and every token counts", async (t) => {
  const model = await startModelServer(steps({
    "case-weather": [
      status(429, { retryAfter: "1" }),
      status(529),
      { fault: "error-event", type: "overloaded_error", message: "busy" },
      {
        calls: [{ name: "write_file", input: { path: "a.txt", content: "A" } }],
        usage: { input: 1_000, output: 100, cacheWrite: 400 },
      },
      { fault: "cut", text: "half a sen", usage: { input: 300 } },
      { text: "It is written.", usage: { input: 2_000, output: 50, cacheRead: 500 } },
    ],
    "case-torn": [
      { fault: "input", name: "write_file", json: '{"path": "b.txt", "cont', stop: "tool_use" },
      { text: "I was mended." },
    ],
    "case-loop": [[LIST, Infinity]],
    "case-refusal": [{ fault: "stop", text: "", stop: "refusal" }],
    "case-long": [
      status(400, { type: "invalid_request_error", message: "prompt is too long: 9 > 8 tokens" }),
    ],
    "case-key": [status(401, { type: "authentication_error", message: "invalid x-api-key" })],
    "case-silent": [{ fault: "hang" }],
  }));
  t.after(() => model.close());
  const pool = livePool(t, {
    env: { ANTHROPIC_API_KEY: "sk-ant-test" },
    yaml: `pool:
  defaults: {model: claude, sandbox: workspace}
  backends:
    claude: {kind: anthropic, base_url: "${model.url}", api_key_env: ANTHROPIC_API_KEY, max_turns: 4}
  models:
    claude:
      backend: claude
      model: claude-sonnet-5-5
      usd_per_million_tokens: {input: 2, output: 10, cache_read: 0.1, cache_write: 2.5}
`,
  });
  await pool.daemon();
  pool.worker("--slots", "7");
  const run = (text: string, ...more: string[]) => done(pool, text, ...more);
  const [weather, torn, loop, refusal, long, key, silent] = await Promise.all([
    run("case-weather"),
    run("case-torn"),
    run("case-loop"),
    run("case-refusal"),
    run("case-long"),
    run("case-key"),
    run("case-silent", "--timeout", "3s"),
  ]);
  assert.equal(weather!.result, "It is written.", weather!.why);
  assert.equal(weather!.attempts.length, 1, "the weather of a server costs no attempt");
  const { input, output, cache_read: read, cache_write: written } = weather!.tokens;
  // What a broken answer had told by then was used, too: the input of each, and one token begun.
  assert.deepEqual([read, written], [500, 400]);
  assert.ok(
    input >= 3_300 && input <= 3_400 && output >= 150 && output <= 155,
    `${input} ${output}`,
  );
  const usd = (input * 2 + output * 10 + read * 0.1 + written * 2.5) / 1e6;
  assert.ok(Math.abs(weather!.usd! - usd) < 1e-9, `${weather!.usd} ${usd}`);
  assert.equal(torn!.result, "I was mended.", torn!.why);
  for (
    const [task, why] of [
      [loop, /no answer within its calls/],
      [refusal, /declines the task/],
      [long, /prompt is too long/],
      [key, /does not accept the credentials.*401/],
    ] as const
  ) {
    assert.deepEqual([task!.status, task!.attempts.length], ["failed", 1], task!.why);
    assert.match(task!.why, why);
  }
  assert.ok(loop!.tokens.input > 0, "what a failure used is counted");
  assert.equal(silent!.status, "expired", silent!.why);
  assert.ok(!JSON.stringify(pool.events()).includes("sk-ant-test"), "the key is in no record");
});

test("openai: the same over chat completions", async (t) => {
  const usage = {
    prompt_tokens: 1_000,
    completion_tokens: 20,
    prompt_tokens_details: { cached_tokens: 400 },
  };
  const call = (text: string) => ({
    tool_calls: [{
      index: 0,
      id: "c1",
      type: "function",
      function: { name: "write_file", arguments: text },
    }],
  });
  await using model = await startChatServer([
    { status: 429, error: { message: "slow down" }, retryAfter: "1" },
    { status: 500, error: { message: "oops" } },
    { events: [delta(call('{"path": "a.tx'))], end: "break" },
    {
      events: [delta(call('{"path": "a.txt", "content": "A"}')), delta({}, "tool_calls"), {
        choices: [],
        usage,
      }],
    },
    { events: [delta({ content: "Written." }), delta({}, "stop"), { choices: [], usage }] },
    { status: 401, error: { message: "Incorrect API key provided" } },
    {
      status: 400,
      error: { message: "maximum context length is 8 tokens", code: "context_length_exceeded" },
    },
    { hang: true },
  ]);
  const pool = livePool(t, {
    env: { OTHER_KEY: "sk-other-test" },
    yaml: `pool:
  defaults: {model: small, sandbox: workspace}
  backends:
    other: {kind: openai, base_url: "${model.url}", api_key_env: OTHER_KEY}
  models:
    small:
      backend: other
      model: small-1
      usd_per_million_tokens: {input: 1, output: 2, cache_read: 0.5, cache_write: 0}
`,
  });
  await pool.daemon();
  pool.worker();
  const good = await done(pool, "write it");
  assert.equal(good.result, "Written.", good.why);
  assert.equal(good.attempts.length, 1);
  // Of the answer that broke off nobody told the use: it is estimated, never left out.
  const { input, output, cache_read: read } = good.tokens;
  assert.equal(read, 800);
  assert.ok(input > 1_200 && input < 5_000 && output >= 40 && output < 60, `${input} ${output}`);
  assert.ok(Math.abs(good.usd! - (input + output * 2 + read * 0.5) / 1e6) < 1e-9, `${good.usd}`);
  assert.equal(readFileSync(join(good.attempts[0]!.folder!, "a.txt"), "utf8"), "A");
  const key = await done(pool, "with a wrong key");
  assert.deepEqual([key.status, key.attempts.length], ["failed", 1], key.why);
  assert.match(key.why, /Incorrect API key/);
  const long = await done(pool, "too much");
  assert.deepEqual([long.status, long.attempts.length], ["failed", 1], long.why);
  assert.equal((await done(pool, "silence", "--timeout", "2s")).status, "expired");
  assert.ok(!JSON.stringify(pool.events()).includes("sk-other-test"));
});

test("command: every way in and out, floods, codes, and what is left running", async (t) => {
  const pool = livePool(t, {
    yaml: `pool:
  defaults: {model: in-out, sandbox: workspace}
  limits: {attempts: 2}
  backends:
${
      ["stdin", "file"].flatMap((input) =>
        ["stdout", "file"].map((result) =>
          `    ${input}-${result}: {kind: command, command: [FOLDER/tool.sh, ${input}, ${result}], ` +
          `input: ${input}, result: ${result}, reads: [FOLDER/tool.sh], usage_file: usage.json}`
        )
      ).join("\n")
    }
  models:
    in-out: {backend: stdin-stdout}
    file-out: {backend: file-stdout}
    in-file: {backend: stdin-file}
    file-file: {backend: file-file}
`,
    programs: {
      "tool.sh": `#!/bin/bash
text=$(if [ "$1" = stdin ]; then cat; else cat TASK.txt; fi)
answer() { if [ "$2" = file ]; then cat > RESULT.txt; else cat; fi; }
echo '{"model":"own-1","input":7,"output":3,"usd":0.25}' > usage.json
case "$text" in
  *flood*) head -c 100000000 /dev/zero | tr '\\0' 'x' >&2; echo kept | answer "$@" ;;
  *endless*) head -c 100000000 /dev/zero | tr '\\0' 'x' ;;
  *nothing*) : ;;
  *code3*) echo "no way" >&2; exit 3 ;;
  *code75*) exit 75 ;;
  *left*) (setsid setsid -f bash -c "exec -a $(cat "$0" | cksum | cut -c1-6)herd-left sleep 600") ; echo "leaves one" | answer "$@" ;;
  *) printf 'said: %s' "$text" | answer "$@" ;;
esac
`,
    },
  });
  await pool.daemon();
  pool.worker("--slots", "4");
  const plain = await Promise.all(
    ["in-out", "file-out", "in-file", "file-file"].map((model) => done(pool, "hello", "-m", model)),
  );
  for (const one of plain) assert.equal(one.result?.trim(), "said: hello", one.why);
  assert.deepEqual(plain[0]!.attempts[0]!.use.map(({ model, input, usd }) => [model, input, usd]), [
    ["own-1", 7, 0.25],
  ]);
  const [flood, endless, nothing, nofile, code3, code75, left] = await Promise.all([
    done(pool, "flood"),
    done(pool, "endless"),
    done(pool, "nothing"),
    done(pool, "nothing", "-m", "in-file"),
    done(pool, "code3"),
    done(pool, "code75"),
    done(pool, "left"),
  ]);
  assert.equal(flood!.result?.trim(), "kept", flood!.why);
  const log = statSync(join(flood!.attempts[0]!.folder!, "agent-output.log"));
  assert.ok(log.size < 10 * 1024 * 1024, `${log.size}`);
  assert.match(endless!.why, /too long or no text/);
  assert.match(nothing!.why, /wrote nothing/);
  assert.match(nofile!.why, /RESULT\.txt/);
  assert.match(code3!.why, /exit code 3; its last words were: no way/);
  assert.deepEqual([code3!.status, code3!.attempts.length], ["failed", 1]);
  assert.deepEqual([code75!.status, code75!.attempts.length], ["dead", 2], "a code that passes");
  assert.equal(left!.result?.trim(), "leaves one", left!.why);
  const alive = readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0]!.endsWith("herd-left");
    } catch {
      return false;
    }
  });
  assert.deepEqual(alive, [], "nothing outlives its attempt");
  assert.ok(existsSync(join(code3!.attempts[0]!.folder!, "agent-output.log")));
});
