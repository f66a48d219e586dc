import { runPacked } from "../ssh/run-packed.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { LIST_SCRIPT, type Listing, parseListing } from "./listing.ts";
import { MirrorError } from "./mirror-error.ts";

const TIMEOUT_MS = 60_000;

/**
 * Lists what jobs wrote: in the workspace's folder there, `after` a time (seconds since the epoch)
 * or all of it. `said`: the last word on the error output. Rejects with MirrorError.
 */
export async function listThere(
  host: Pick<SshHost, "name" | "run">,
  { root, after }: { root: string; after: number | undefined },
  signal?: AbortSignal,
): Promise<{ listing: Listing; said: string }> {
  const from = after === undefined ? "" : after.toFixed(3);
  const ended = await runPacked(host, ["/bin/sh", "-c", LIST_SCRIPT, "sh", root, from], {
    timeoutMs: TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  const cannot = `Cannot list what jobs wrote on "${host.name}"`;
  if (ended.lost !== undefined || ended.timedOut || ended.canceled) {
    const why = ended.lost ??
      (ended.timedOut ? `no answer in ${TIMEOUT_MS / 1000} s` : "it was stopped");
    throw new MirrorError("unreachable", `${cannot}: ${why}`);
  }
  if (ended.exitCode === 3) {
    throw new MirrorError("unusable", `${cannot}: "${root}" is not there any more`, {
      hint: "What was fetched before stays here; the next submission makes the folder anew",
    });
  }
  const said = ended.stderr.trim().split("\n").at(-1) || "GNU find is needed there";
  const listing = parseListing(ended.stdout);
  if (listing === undefined) throw new MirrorError("unusable", `${cannot}: ${said}`);
  return { listing, said };
}
