import { HANDOVER_VERSION } from "../base/build.ts";
import { spawnDetached, withoutBunSwitches } from "../base/detach.ts";
import { RefusedError } from "../base/errors.ts";
import { runProcess } from "../base/process.ts";
import { z } from "../base/schema.ts";
import { handoverVariables } from "./handover.ts";
import type { Handover } from "./handover.ts";
import { placeOf } from "./reach.ts";

const PROOF_MS = 30_000;

const VersionSchema = z.object({
  version: z.string(),
  commit: z.string(),
  handover: z.number().optional(),
});

/**
 * Version and commit of what lies now where this program was started from. Throws RefusedError
 * when that does not start, or could not take over what this one holds.
 */
export async function proveSuccessor(self: readonly string[]): Promise<string> {
  const path = self.at(-1) ?? "";
  const ended = await runProcess([...self, "version", "--json"], { timeoutMs: PROOF_MS });
  if (!ended.ok) {
    throw new RefusedError(`Cannot restart: "${path}" does not start`, {
      hint: "The daemon goes on as it is; put a whole herd there, then try again",
    });
  }
  const { version, commit, handover } = read(ended.stdout, path);
  if (handover !== HANDOVER_VERSION) {
    throw new RefusedError(
      `Cannot restart: "${path}" is herd ${version}, which cannot take over what this daemon holds`,
      { hint: "End this one with `herd monitor --stop`, then start the other one" },
    );
  }
  return versionText({ version, commit });
}

function read(text: string, path: string): z.infer<typeof VersionSchema> {
  try {
    return VersionSchema.parse(JSON.parse(text));
  } catch {
    throw new RefusedError(`Cannot restart: "${path}" is no herd`);
  }
}

export function versionText(build: { version: string; commit: string }): string {
  return `${build.version} (commit ${build.commit})`;
}

export interface BecomeParts {
  self: readonly string[];
  /** Of this process: what follows the program. */
  words: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  say(text: string): void;
}

/**
 * Becomes the program that lies now where this one was started from: the same process, terminal
 * and files. Returns only where a process cannot do that; then the new one was started in the
 * background.
 */
export function becomeSuccessor(handover: Handover, { self, words, env, say }: BecomeParts): void {
  const variables = { ...withoutBunSwitches(env), ...handoverVariables(handover) };
  const isMonitor = words[0] === "monitor";
  const background = ["monitor", "--background"];
  let why = "a process here cannot become another program";
  try {
    // For one that was opened for the pool or the broker, whoever reads its output needs no more.
    process.execve?.(self[0] ?? "", [...self, ...(isMonitor ? words : background)], variables);
  } catch (error) {
    why = (error as Error).message;
  }
  const { log } = placeOf(env);
  const { pid } = spawnDetached([...self, ...background], {
    cwd: "/",
    env: variables,
    stdout: log,
    stderr: log,
  });
  say(`The new version runs in the background (pid ${pid}), as ${why}; its log: ${log}`);
}
