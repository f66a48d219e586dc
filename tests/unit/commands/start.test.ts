import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { runProcess } from "../../../lib/base/process.ts";
import { shellQuote } from "../../../lib/base/text.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PROBE = `${ROOT}tests/support/start-probe.ts`;
const BUN = `${ROOT}node_modules/bun/bin/bun.exe`;

const RUNTIMES: Record<string, string[]> = {
  deno: [process.execPath, "run", "-A", "--quiet", "--no-check", PROBE],
  bun: [BUN, PROBE],
};

function environment(state: string, more: Record<string, string> = {}): Record<string, string> {
  const { PATH = "", HOME = "/" } = process.env;
  return { PATH, HOME, XDG_STATE_HOME: state, ...more };
}

async function inState(work: (state: string) => Promise<void>) {
  const state = mkdtempSync(join(tmpdir(), "herd-start-"));
  try {
    await work(state);
  } finally {
    rmSync(state, { recursive: true });
  }
}

for (const [runtime, argv] of Object.entries(RUNTIMES)) {
  const skip = existsSync(argv[0]!) ? false : `${argv[0]} is not installed`;

  const run = (state: string, words: string[], more: Record<string, string> = {}) =>
    runProcess([...argv, ...words], { env: environment(state, more), timeoutMs: 60_000 });

  test(
    `${runtime}: what is thrown decides the exit code and is told on standard error`,
    { skip },
    () =>
      inState(async (state) => {
        const expected = { mistake: 2, refused: 3, unreachable: 4, rejected: 5, quota: 2, bug: 70 };
        for (const [kind, code] of Object.entries(expected)) {
          const { exitCode, stdout, stderr } = await run(state, ["fail", kind]);
          assert.equal(exitCode, code, kind);
          assert.equal(stdout, "");
          assert.match(stderr, /^Error: \S/);
          assert.doesNotMatch(stderr, /\n\s+at /);
        }
      }),
  );

  test(
    `${runtime}: with --json the error is one document, and the text stays`,
    { skip },
    () =>
      inState(async (state) => {
        const { stdout, stderr, exitCode } = await run(state, ["fail", "refused", "--json"]);
        assert.equal(exitCode, 3);
        assert.deepEqual(JSON.parse(stdout), {
          error: { indices: [3], kind: "refused", message: "No", hint: null, mistakes: [] },
        });
        assert.match(stderr, /^Error: No/);
        const unknown = await run(state, ["nonsense", "--json"]);
        assert.equal(JSON.parse(unknown.stdout).error.kind, "mistake");
      }),
  );

  test(
    `${runtime}: a bug is logged with its stack, and the log is named`,
    { skip },
    () =>
      inState(async (state) => {
        const { stderr } = await run(state, ["fail", "bug"]);
        const path = join(state, "herd/herd.log");
        assert.ok(stderr.includes(`See the log ${path}`), stderr);
        const entry = JSON.parse(readFileSync(path, "utf8"));
        assert.match(entry.stack, /TypeError: x is undefined\n\s+at /);
        assert.deepEqual(entry.argv, ["fail", "bug"]);
        await run(state, ["fail", "mistake"]);
        assert.equal(readFileSync(path, "utf8").trimEnd().split("\n").length, 1);
      }),
  );

  test(
    `${runtime}: HERD_DEBUG and HYPERHERD_DEBUG show the stack`,
    { skip },
    () =>
      inState(async (state) => {
        for (const name of ["HERD_DEBUG", "HYPERHERD_DEBUG"]) {
          const { stderr } = await run(state, ["fail", "mistake"], { [name]: "1" });
          assert.match(stderr, /UserError: Cannot do it\n\s+at /, name);
        }
      }),
  );

  test(
    `${runtime}: a signal aborts the command and is the exit code`,
    { skip },
    () =>
      inState(async (state) => {
        for (
          const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 143]] as const
        ) {
          const { exitCode, stderr } = await signalled(argv, ["wait"], signal, state);
          assert.equal(exitCode, code, signal);
          assert.equal(stderr, signal === "SIGINT" ? "Interrupted\n" : "");
        }
      }),
  );

  test(
    `${runtime}: a second Ctrl-C ends a command that does not listen`,
    { skip },
    () =>
      inState(async (state) => {
        const { signal } = await signalled(argv, ["wait", "stubborn"], "SIGINT", state);
        assert.equal(signal, "SIGINT");
      }),
  );

  test(
    `${runtime}: when the reader goes the command is stopped, quietly`,
    { skip },
    () =>
      inState(async (state) => {
        const line = `${
          argv.map(shellQuote).join(" ")
        } talk | head -n 1; echo "code \${PIPESTATUS[0]}"`;
        const env = environment(state);
        const { stdout, stderr } = await runProcess(["bash", "-c", line], {
          env,
          timeoutMs: 60_000,
        });
        assert.equal(stdout, "line 0\ncode 141\n");
        assert.equal(stderr, "stopped early\n");
      }),
  );

  test(
    `${runtime}: a large document reaches a slow reader whole`,
    { skip },
    () =>
      inState(async (state) => {
        const line = `${argv.map(shellQuote).join(" ")} big | (sleep 0.2; cat)`;
        const { stdout } = await runProcess(["bash", "-c", line], { env: environment(state) });
        assert.equal(JSON.parse(stdout).rows.length, 100_000);
      }),
  );

  test(
    `${runtime}: a full disk is told, a closed output is not`,
    { skip },
    () =>
      inState(async (state) => {
        const words = argv.map(shellQuote).join(" ");
        const env = environment(state);
        const full = await runProcess(["bash", "-c", `${words} big > /dev/full`], { env });
        assert.equal(full.exitCode, 2);
        assert.match(
          full.stderr,
          /^Error: Cannot write "standard output": no space left on the disk \(ENOSPC\)\n$/,
        );
        const closed = await runProcess(["bash", "-c", `${words} big >&-`], { env });
        assert.equal(closed.stderr, "");
      }),
  );
}

/** Starts the probe, signals it when it says that it waits, again when it is still there. */
function signalled(argv: string[], words: string[], signal: NodeJS.Signals, state: string) {
  return new Promise<{ exitCode: number | null; signal: string | null; stderr: string }>(
    (resolve) => {
      const child = spawn(argv[0]!, [...argv.slice(1), ...words], { env: environment(state) });
      // Deno's child.kill() makes the child's end look as if that signal had caused it.
      const send = () => process.kill(child.pid!, signal);
      let stderr = "";
      child.stdout.once("data", send);
      child.stderr.on("data", (text) => {
        stderr += text;
        if (String(text).includes("still here")) send();
      });
      child.on("close", (exitCode, ended) => resolve({ exitCode, signal: ended, stderr }));
    },
  );
}
