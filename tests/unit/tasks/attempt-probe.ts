/** A program with the real start and the real attempt, whose backend runs one command. */
import { spawn } from "node:child_process";
import { defineCommand } from "../../../commands/command.ts";
import { start } from "../../../commands/start.ts";
import { runAttempt } from "../../../lib/daemon/run-attempt.ts";
import type { AttemptSpec } from "../../../lib/tasks/attempt-spec.ts";
import type { Backend, Work, WorkEnd } from "../../../lib/tasks/backend.ts";
import type { WrapSandbox } from "../../../lib/tasks/wrap-sandbox.ts";

/** What a test asks of the backend. */
export interface ProbeBackend {
  /** Run by bash; a line `USE` on its output is a call to a model, another one is progress. */
  script: string;
  /** Whether an abort is heeded. */
  stubborn?: boolean;
  hang?: boolean;
}

function backendOf(spec: AttemptSpec, { wrap }: { wrap: WrapSandbox }): Backend {
  const wanted = spec.backend as ProbeBackend;
  return { description: "probe", run: (work) => run(wanted, work, wrap) };
}

function run(wanted: ProbeBackend, work: Work, wrap: WrapSandbox): Promise<WorkEnd> {
  const wrapped = wrap(["bash", "-c", wanted.script], {
    sandbox: work.sandbox,
    folder: work.folder,
  });
  if ("refused" in wrapped) {
    const { refused } = wrapped;
    return Promise.resolve(
      { kind: "failed", cause: "refused", message: refused, passing: false, partial: "" },
    );
  }
  if (wanted.hang) { for (;;); }
  return new Promise((resolve) => {
    let said = "";
    const child = spawn(wrapped.argv[0]!, wrapped.argv.slice(1), {
      cwd: work.folder,
      env: { ...work.env },
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const use = { model: "m", input: 10, output: 1, cacheRead: 5, cacheWrite: 2, usd: undefined };
    child.stdout.on("data", (chunk) => {
      said += chunk;
      work.log(String(chunk));
      for (const line of String(chunk).split("\n")) {
        if (line === "USE") void work.onUse(use);
        else if (line !== "") work.onProgress(line);
      }
    });
    if (wanted.stubborn !== true) {
      work.signal.addEventListener("abort", () => {
        resolve({ kind: "aborted", partial: said });
      });
    }
    child.on("exit", (code) => {
      resolve(
        code === 0 ? { kind: "done", result: said } : {
          kind: "failed",
          cause: "agent",
          message: `It ended with ${code}`,
          passing: true,
          partial: said,
        },
      );
    });
  });
}

const attempt = defineCommand({
  name: "attempt",
  summary: "Run one attempt",
  arguments: [],
  run: ({ env, clock, signal }) =>
    runAttempt({ input: process.stdin, descriptor: 1, env, clock, signal, backendOf }),
});

const table = [{
  name: "attempt",
  group: "Test",
  load: () => Promise.resolve({ command: attempt }),
}];
process.exit(await start(process.argv.slice(2), table));
