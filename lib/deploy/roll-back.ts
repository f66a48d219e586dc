import { NothingError, UserError } from "../base/errors.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { runScript } from "./ask-host.ts";
import type { HostFacts } from "./host-facts.ts";
import { readLines, SWITCH } from "./put-in-place.ts";

/** "$1" path. Both names exist at each moment. */
const SWAP = `${SWITCH}
path=$1
rm -f "$path.$$.a" "$path.$$.b"
why=$(twin "$path.previous" "$path.$$.a" 2>&1) || fail "$why"
why=$(twin "$path" "$path.$$.b" 2>&1) || fail "$why"
why=$(mv -f "$path.$$.a" "$path" 2>&1) || fail "$why"
why=$(mv -f "$path.$$.b" "$path.previous" 2>&1) || fail "$why"
say done yes
`;

/** Why there is nothing to go back to; undefined when there is. */
export function whyNoWayBack({ path, there, previous }: HostFacts): string | undefined {
  if (previous === undefined || previous.kind === "folder") {
    return `there is no "${path}.previous"`;
  }
  if (previous.says === undefined) return `"${path}.previous" does not start`;
  if (there !== undefined && previous.sha256 !== undefined && previous.sha256 === there.sha256) {
    return "the previous one is the same";
  }
  return undefined;
}

/** Makes the previous one the current one and the other way round. Throws NothingError or UserError. */
export async function rollBack(
  host: SshHost,
  facts: HostFacts,
  signal: AbortSignal,
): Promise<void> {
  const why = whyNoWayBack(facts);
  if (why !== undefined) throw new NothingError(`Cannot go back on "${host.name}": ${why}`);
  if (facts.there === undefined) {
    await host.files.rename(`${facts.path}.previous`, facts.path);
    return;
  }
  const said = readLines((await runScript(host, SWAP, [facts.path], signal)).stdout);
  if (said["done"] === "yes") return;
  throw new UserError(
    `Cannot go back on "${host.name}": ${said["failed"]?.trim() ?? "no answer"}`,
    {
      hint: "What is there was left as it is",
    },
  );
}
