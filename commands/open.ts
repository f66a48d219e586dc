import { resolve } from "node:path";
import { visible } from "../lib/base/width.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import type { Notice } from "../lib/sweep/config.ts";
import type { Context } from "./command.ts";
import { terminalAsker } from "./terminal-asker.ts";

/**
 * Opens the workspace that a command names, and says on standard error what is
 * worth knowing about it. The workspace's machinery is loaded only now.
 */
export async function openWorkspace(
  context: Pick<Context, "out" | "log" | "env" | "cwd" | "clock" | "signal" | "json">,
  workspace: string,
  wish: HostWish = { host: undefined, keep: "never" },
): Promise<Outside> {
  const { openOutside } = await import("../lib/daemon/open-outside.ts");
  const { findRemoteIn } = await import("../lib/daemon/remote.ts");
  const { createHosts } = await import("../lib/daemon/hosts.ts");
  const { out, log, env, cwd, clock, signal, json } = context;
  const outside = openOutside({
    workspace: workspacePath(cwd, workspace),
    env,
    clock,
    signal,
    self: ownCommandLine(),
    findRemote: findRemoteIn(env, signal),
    reach: createHosts({ env, clock, log, asker: terminalAsker() }).reach,
    settles: true,
    onWarning: (message) => say(out, message),
    onWaiting: json ? undefined : (message) => say(out, message),
    onAsk: json || !out.errorInteractive
      ? undefined
      : () => announce("Asking the cluster…", { out, clock }),
  });
  for (const { message } of outside.notices()) say(out, message);
  const { host, keep } = wish;
  if (host === undefined) return outside;
  if (keep === "reached") await outside.moveTo(host);
  else outside.wishHost(host, { isKept: keep === "now" });
  return outside;
}

/** What `--host` says, and when it is remembered: who reaches it later does so with its own connection. */
export interface HostWish {
  host: string | undefined;
  keep: "now" | "reached" | "never";
}

/** An empty argument stays one, to be refused: resolved it would be the current folder. */
export function workspacePath(cwd: string, argument: string): string {
  return argument === "" ? "" : resolve(cwd, argument);
}

/** What takes that long needs an explanation. */
const NOTICED_MS = 2_000;

/** Shows a line on standard error once it takes long, until the function it gives back is called. */
function announce(text: string, { out, clock }: Pick<Context, "out" | "clock">): () => void {
  const over = new AbortController();
  let erase = () => {};
  clock.sleep(NOTICED_MS, over.signal).then(() => {
    if (!over.signal.aborted) erase = out.passing(text);
  }, () => {});
  return () => {
    over.abort();
    erase();
  };
}

/** A line on standard error that is no error. */
export function say(out: Context["out"], message: string): void {
  out.printError(`${out.errorPaint.yellow("Note:")} ${message}`);
}

/** What is to be known of the YAML, with its place there. */
export function sayNotice(out: Context["out"], { message, line, column }: Notice): void {
  const place = column === undefined ? `line ${line}` : `line ${line}, column ${column}`;
  say(out, line === undefined ? message : `${message} (${place})`);
}

/** How to start this program again: the executable alone, or the runtime with its script. */
export function ownCommandLine(): string[] {
  const script = process.argv[1] ?? "";
  if (script.startsWith("/$bunfs/")) return [process.execPath];
  const options = "deno" in process.versions ? ["run", "-A"] : [];
  return [process.execPath, ...options, script];
}

/** A text of several lines as a terminal may show it. */
export function linesShown(text: string): string {
  return text.trimEnd().split("\n").map(visible).join("\n");
}
