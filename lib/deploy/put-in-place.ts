import { UserError } from "../base/errors.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { HASH, runScript, VERSION } from "./ask-host.ts";
import { type Binary, hashOf } from "./binary.ts";
import type { HostFacts } from "./host-facts.ts";
import { whyNotStarting } from "./why-not-starting.ts";

/** Prints lines `herd.NAME=VALUE`; a function of both scripts that change something. */
export const SWITCH = `LC_ALL=C; export LC_ALL
say() { printf 'herd.%s=%s\\n' "$1" "$(printf %s "$2" | tr '\\n' ' ')"; }
fail() { say failed "$1"; exit 1; }
# A second name for what lies at $1: the same bytes, of a link the link itself.
twin() {
  if [ -L "$1" ]; then cp -P "$1" "$2"; else ln "$1" "$2" 2>/dev/null || cp -p "$1" "$2"; fi
}`;

/** "$1" part, "$2" path, "$3" what its hash must be or nothing, "$4" whether to keep what is there. */
const PUT = `${SWITCH}
${HASH}
${VERSION}
part=$1 path=$2
if [ "$3" != "" ]; then
  hash=$(hash_of "$part")
  say hash "$hash"
  case $hash in *"$3"*) ;; *) exit 0 ;; esac
fi
chmod 755 "$part" || fail "chmod"
says=$(version_of "$part"); code=$?
# A server that is still closing the file after a cut holds it for a moment.
for wait in 1 2 3; do
  case $code.$says in 126.*[Tt]ext*busy*) sleep 1; says=$(version_of "$part"); code=$? ;; esac
done
say code "$code"
say says "$(printf '%s\\n' "$says" | head -n 3 | cut -c 1-300)"
[ "$code" = 0 ] || exit 0
case $says in "herd "*) ;; *) exit 0 ;; esac
if [ "$4" = keep ]; then
  [ -d "$path.previous" ] && fail "$path.previous is a folder"
  rm -f "$path.$$"
  why=$(twin "$path" "$path.$$" 2>&1) || fail "$why"
  why=$(mv -f "$path.$$" "$path.previous" 2>&1) || fail "$why"
fi
why=$(mv -f "$part" "$path" 2>&1) || fail "$why"
say done yes
`;

export type Put =
  | { kind: "done"; says: string }
  /** What arrived is not what was sent; it was removed. */
  | { kind: "damaged" };

/**
 * Proves that what arrived is what was sent and that it starts, keeps what lay there, and
 * switches: at each moment the path is the old one or the new one. Throws UserError.
 */
export async function putInPlace(
  host: SshHost,
  binary: Binary,
  part: string,
  facts: HostFacts,
  signal: AbortSignal,
): Promise<Put> {
  const { path, there, previous } = facts;
  // What does not start is nothing to go back to.
  const isKept = there !== undefined && (there.says !== undefined || previous === undefined);
  const put = async (hash: string) =>
    readLines(
      (await runScript(host, PUT, [part, path, hash, isKept ? "keep" : "drop"], signal)).stdout,
    );
  let said = await put(binary.sha256);
  if (!/[0-9a-f]{64}/.test(said["hash"] ?? "")) {
    // Nothing there can compute it: it comes back, and is computed here.
    const back = await hashOf(host.files.read(part, { signal }));
    said = { ...await put(back === binary.sha256 ? "" : "-"), hash: back };
  }
  if (!said["hash"]?.includes(binary.sha256)) {
    await host.files.remove(part);
    return { kind: "damaged" };
  }
  if (said["done"] === "yes") return { kind: "done", says: said["says"]?.trim() ?? "" };
  if (said["failed"] !== undefined) {
    throw new UserError(`Cannot deploy to "${host.name}": ${said["failed"].trim()}`, {
      hint: "What is there was left as it is",
    });
  }
  await host.files.remove(part);
  const start = { code: Number(said["code"] ?? 1), said: said["says"]?.trim() ?? "" };
  if (start.code === 0) {
    throw new UserError(`Cannot deploy "${binary.path}": it is no herd, it says "${start.said}"`);
  }
  const { why, hint } = whyNotStarting(start, facts);
  throw new UserError(`Cannot run herd on "${host.name}": ${why}`, { hint });
}

export function readLines(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^herd\.(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  );
}
