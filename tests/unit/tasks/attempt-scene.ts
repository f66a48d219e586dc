import { mkdtempSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { agentEnvironment } from "../../../lib/tasks/attempt-environment.ts";
import { makeAttemptFolder } from "../../../lib/tasks/attempt-folder.ts";
import { type AttemptParts, startAttempt } from "../../../lib/tasks/attempt-process.ts";
import type { AttemptSpec } from "../../../lib/tasks/attempt-spec.ts";
import type { Sandbox } from "../../../lib/tasks/sandbox.ts";
import { removeTree } from "../../support/remove-tree.ts";
import type { ProbeBackend } from "./attempt-probe.ts";

export function program(name: string): string[] {
  const script = fileURLToPath(new URL(name, import.meta.url));
  return [process.execPath, "run", "-A", script];
}

export interface AttemptScene {
  root: string;
  records: string;
  /** A word that every process of the test's agent carries in its arguments. */
  word: string;
  spec(backend: ProbeBackend, more?: Partial<AttemptSpec>): AttemptSpec;
  start(spec: AttemptSpec, more?: Partial<AttemptParts>): ReturnType<typeof startAttempt>;
  phases: string[];
  /** Resolves when the agent has said this. */
  heard(phase: string): Promise<void>;
  /** Living processes that carry the word. */
  living(): number[];
  untilNone(): Promise<void>;
}

let scenes = 0;

export async function inAttemptScene(use: (scene: AttemptScene) => Promise<void>): Promise<void> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "herd-attempt-")));
  const word = `herd-agent-${process.pid}-${++scenes}`;
  const records = join(root, "running");
  const phases: string[] = [];
  let wake = () => {};
  const noneSandbox: Sandbox = { level: "none", network: true };
  const scene: AttemptScene = {
    root,
    records,
    word,
    phases,
    spec(backend, more = {}) {
      const sandbox = more.sandbox ?? noneSandbox;
      const folder = makeAttemptFolder({ root, task: "t1", epoch: 1, prompt: "Do it", sandbox });
      return {
        name: folder.name,
        folder: folder.path,
        prompt: "Do it",
        instructions: folder.instructions,
        model: undefined,
        thinking: "off",
        sandbox,
        env: agentEnvironment(process.env, {
          sandbox,
          folder: folder.path,
          add: { AGENT_WORD: word },
        }),
        budgetUsd: undefined,
        backend,
        secrets: {},
        prices: {},
        timeoutMs: 60_000,
        graceMs: 1_000,
        deadManMs: 60_000,
        ...more,
      };
    },
    start: (spec, more = {}) =>
      startAttempt(spec, {
        argv: program("./attempt-probe.ts"),
        env: process.env,
        clock: createSystemClock(),
        records,
        onUse: () => {},
        onProgress(phase) {
          phases.push(phase);
          wake();
        },
        ...more,
      }),
    async heard(phase) {
      const until = Date.now() + 20_000;
      while (!phases.includes(phase)) {
        if (Date.now() > until) throw new Error(`Never heard "${phase}", but ${phases.join(", ")}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 200);
        });
      }
    },
    living: () => processesWith(word),
    async untilNone() {
      const until = Date.now() + 15_000;
      while (processesWith(word).length > 0) {
        if (Date.now() > until) throw new Error(`Still living: ${described(word)}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
  try {
    await use(scene);
  } finally {
    for (const pid of processesWith(word)) process.kill(pid, "SIGKILL");
    removeTree(root);
  }
}

/** The command line is what an agent that clears its environment cannot clear. */
function processesWith(word: string): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) =>
    pid !== process.pid && read(pid).includes(word)
  );
}

function described(word: string): string {
  return processesWith(word).map((pid) => `${pid} ${read(pid)}`).join("; ");
}

function read(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
