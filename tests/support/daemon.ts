import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Event } from "../../lib/sweep/event.ts";
import { HERD } from "./herd.ts";
import { removeTree } from "./remove-tree.ts";

/** A home of its own, so that the daemons of two tests never meet each other or a user's. */
export interface Home {
  env: Record<string, string>;
  remove(): void;
}

/** `more`: what the environment sets beside PATH; an agent's key is in it only when it is given. */
export function makeHome(more: Record<string, string> = {}): Home {
  const path = mkdtempSync(join(tmpdir(), "herd-home-"));
  chmodSync(path, 0o700);
  const { ANTHROPIC_API_KEY: _, ANTHROPIC_AUTH_TOKEN: __, ANTHROPIC_BASE_URL: ___, ...rest } =
    process.env;
  const env = Object.fromEntries(
    Object.entries(rest).filter((one): one is [string, string] => one[1] !== undefined),
  );
  return {
    env: {
      ...env,
      HOME: path,
      XDG_STATE_HOME: join(path, "state"),
      XDG_RUNTIME_DIR: path,
      ...more,
    },
    remove: () => removeTree(path),
  };
}

export interface RunningMonitor {
  child: ChildProcess;
  output(): string;
  /** How it ended. */
  ended: Promise<{ code: number | null; signal: string | null; output: string }>;
  kill(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): void;
}

/** Starts `herd monitor` in the foreground, without a terminal. */
export function startMonitor(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  /** What starts it, such as nohup. */
  by: readonly string[] = [],
): RunningMonitor {
  const [program, ...words] = [...by, HERD, "monitor", ...args];
  // The whole environment: what the test's own sets must not come through.
  const child = spawn(program!, words, {
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout!.setEncoding("utf8").on("data", (text) => output += text);
  child.stderr!.setEncoding("utf8").on("data", (text) => output += text);
  const ended = new Promise<Awaited<RunningMonitor["ended"]>>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, output }));
  });
  return {
    child,
    output: () => output,
    ended,
    // Deno's child.kill does nothing the second time.
    kill: (signal) => void process.kill(child.pid!, signal),
  };
}

/** Every event of a workspace's journal, oldest first. */
export function eventsOf(workspace: string): Event[] {
  const path = join(workspace, ".hyperherd/journal.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Event);
}

/** What was said, oldest first. */
export function postsOf(workspace: string): string[] {
  return eventsOf(workspace).flatMap(({ what }) => what.type === "said" ? [what.said.text] : []);
}

/** Lines of the audit log. */
export function auditOf(workspace: string): Record<string, unknown>[] {
  const path = join(workspace, ".hyperherd/agent_log.jsonl");
  return readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line));
}

/** Resolves when it holds; fails with the monitor's words when it does not in time. */
export async function untilTrue(
  what: string,
  holds: () => boolean | Promise<boolean>,
  told: () => string = () => "",
  withinMs = 120_000,
): Promise<void> {
  const until = Date.now() + withinMs;
  while (!await holds()) {
    if (Date.now() > until) throw new Error(`Never came about: ${what}\n${told()}`);
    await new Promise((next) => setTimeout(next, 100));
  }
}
