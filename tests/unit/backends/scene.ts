import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { BackendConfig } from "../../../lib/backends/backend-config.ts";
import type { BackendParts } from "../../../lib/backends/backend-parts.ts";
import { createBackend } from "../../../lib/backends/create-backend.ts";
import { createSystemClock } from "../../../lib/base/clock.ts";
import type { Backend, Work, WorkEnd, WorkUse } from "../../../lib/tasks/backend.ts";
import type { WrapSandbox } from "../../../lib/tasks/wrap-sandbox.ts";

export interface Scene {
  /** Holds `folder` and nothing else: a place outside of it that a test may look at. */
  outside: string;
  folder: string;
  work: Work;
  uses: WorkUse[];
  phases: string[];
  log(): string;
  /** Resolves when the log holds it. */
  logged(text: string): Promise<void>;
  abort(): void;
}

/** Leaves every program unconfined; tests of escapes use `bubblewrap`. */
export const unconfined: WrapSandbox = (argv) => ({ argv: [...argv] });

/** A plain confinement by bubblewrap: system folders to read, the task's folder to write. */
export const bubblewrap: WrapSandbox = (argv, { sandbox, folder, reads = [], writes = [] }) => {
  const readable = ["/usr", "/bin", "/lib", "/lib64", "/etc", ...reads];
  return {
    argv: [
      "bwrap",
      "--die-with-parent",
      "--unshare-pid",
      ...(sandbox.network ? [] : ["--unshare-net"]),
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "--tmpfs",
      "/tmp",
      ...readable.flatMap((path) => ["--ro-bind-try", path, path]),
      sandbox.level === "read-only" ? "--ro-bind" : "--bind",
      folder,
      folder,
      ...writes.flatMap((path) => ["--bind", path, path]),
      "--chdir",
      folder,
      "--",
      ...argv,
    ],
  };
};

export function createScene(t: TestContext, more: Partial<Work> = {}): Scene {
  const outside = realpathSync(mkdtempSync(join(tmpdir(), "herd-backend-")));
  t.after(() => rmSync(outside, { recursive: true, force: true }));
  const folder = mkdtempSync(join(outside, "task-"));
  const prompt = more.prompt ?? "Count the sheep.";
  writeFileSync(join(folder, "TASK.txt"), prompt);
  const stop = new AbortController();
  // What a failed test left running ends with it.
  t.after(() => stop.abort());
  const uses: WorkUse[] = [];
  const phases: string[] = [];
  const waiting: { text: string; done: () => void }[] = [];
  let log = "";
  const work: Work = {
    name: "t1:1",
    folder,
    prompt,
    instructions: "You are a worker.",
    model: undefined,
    thinking: "medium",
    sandbox: { level: "workspace", network: false },
    env: { PATH: process.env["PATH"] ?? "", HOME: folder },
    budgetUsd: undefined,
    signal: stop.signal,
    onUse: (use) => void uses.push(use),
    onProgress: (phase) => void phases.push(phase),
    log(text) {
      log += text;
      for (const wait of waiting) if (log.includes(wait.text)) wait.done();
    },
    ...more,
  };
  return {
    outside,
    folder,
    work,
    uses,
    phases,
    log: () => log,
    logged: (text) =>
      new Promise((done, fail) => {
        const late = setTimeout(
          () => fail(new Error(`Not logged within 20 s: ${text}; the log is ${log}`)),
          20_000,
        );
        const found = () => {
          clearTimeout(late);
          done();
        };
        if (log.includes(text)) found();
        else waiting.push({ text, done: found });
      }),
    abort: () => stop.abort(),
  };
}

/** The backend of a configuration that has to be right. */
export function backendOf(config: BackendConfig, more: Partial<BackendParts> = {}): Backend {
  const backend = createBackend(config, {
    wrap: unconfined,
    clock: createSystemClock(),
    env: {},
    random: () => 0.5,
    graceMs: 500,
    ...more,
  });
  if ("refused" in backend) throw new Error(backend.refused);
  return backend;
}

/** Pids of living processes that hold this text in their command line. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      const state = readFileSync(`/proc/${pid}/stat`, "utf8");
      if (/\) [ZX] /.test(state)) return false;
      return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
}

/** Waits until something outside of this process is so. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const late = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > late) throw new Error(`Not within 20 s: ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

export function failureOf(end: WorkEnd): Extract<WorkEnd, { kind: "failed" }> {
  if (end.kind !== "failed") throw new Error(`Expected a failure, found ${JSON.stringify(end)}`);
  return end;
}
