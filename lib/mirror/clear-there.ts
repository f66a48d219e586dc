import { MirrorError } from "./mirror-error.ts";
import type { SshHost } from "../ssh/ssh-host.ts";

/** What of a workspace's copy is to go: what its jobs logged, or all that herd keeps in it. */
export type Clearing = "logs" | "state";

const TIMEOUT_MS = 120_000;

/** `state`: the copy's `.hyperherd`. The caller knows that it is ours, and that no job lives. */
export async function clearThere(
  host: Pick<SshHost, "name" | "run">,
  { state, what }: { state: string; what: Clearing },
  signal?: AbortSignal,
): Promise<void> {
  const script = what === "state"
    ? 'rm -rf -- "$1"'
    : 'if [ -d "$1/logs" ]; then find "$1/logs" -mindepth 1 -delete; fi';
  const ended = await host.run(["/bin/sh", "-c", script, "sh", state], {
    timeoutMs: TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  if (ended.ok) return;
  const why = ended.lost ?? ended.stderr.trim().split("\n").at(-1) ?? "";
  throw new MirrorError(
    ended.lost === undefined ? "unusable" : "unreachable",
    `Cannot delete in "${state}" on "${host.name}": ${
      why || `no answer in ${TIMEOUT_MS / 1000} s`
    }`,
    { hint: "Nothing was deleted here" },
  );
}
