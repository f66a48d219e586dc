import { resolve } from "node:path";
import type { Outside } from "../lib/daemon/outside.ts";
import type { Context } from "./command.ts";

/**
 * Opens the workspace that a command names, and says on standard error what is
 * worth knowing about it. The workspace's machinery is loaded only now.
 */
export async function openWorkspace(
  context: Pick<Context, "out" | "env" | "cwd" | "clock" | "signal">,
  workspace: string,
): Promise<Outside> {
  const { openOutside } = await import("../lib/daemon/outside.ts");
  const { out, env, cwd, clock, signal } = context;
  const outside = openOutside({
    workspace: resolve(cwd, workspace),
    env,
    clock,
    signal,
    self: ownCommandLine(),
    onWarning: (message) => say(out, message),
  });
  for (const { message } of outside.notices()) say(out, message);
  return outside;
}

/** A line on standard error that is no error. */
export function say(out: Context["out"], message: string): void {
  out.printError(`${out.errorPaint.yellow("Note:")} ${message}`);
}

/** How to start this program again: the executable alone, or the runtime with its script. */
export function ownCommandLine(): string[] {
  const script = process.argv[1] ?? "";
  if (script.startsWith("/$bunfs/")) return [process.execPath];
  const options = "deno" in process.versions ? ["run", "-A"] : [];
  return [process.execPath, ...options, script];
}
