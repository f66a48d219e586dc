import { closeSync, openSync, statSync } from "node:fs";
import { UserError } from "../base/errors.ts";
import { codeOf, readIfThere } from "../base/files.ts";
import type { WorkspacePaths } from "./paths.ts";

/**
 * Says whose the workspace is to somebody who may not read what herd keeps of it.
 * `uid` is the acting user. Throws UserError.
 */
export function refuseUnreadable(
  paths: WorkspacePaths,
  uid: number | undefined = process.getuid?.(),
): void {
  try {
    // Opened, since access() may ask by modes alone, which mean nothing to root or to ACLs.
    closeSync(openSync(paths.journal, "r"));
  } catch (error) {
    if (codeOf(error) !== "EACCES" && codeOf(error) !== "EPERM") return;
    const owner = ownerOf(paths.state);
    const own = owner === undefined || owner === uid;
    throw new UserError(
      own
        ? `Cannot read "${paths.journal}": permission denied`
        : `Cannot read "${paths.state}": it belongs to ${userText(owner)}, who keeps it private`,
      {
        hint: own
          ? "Check the modes of the file and of the folders above it"
          : "Its owner can print all that is known of the sweep with `herd snapshot` and `herd res`",
        cause: error,
      },
    );
  }
}

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path).uid;
  } catch {
    return undefined;
  }
}

/** Names of a directory service are not in the file; then the number has to do. */
function userText(uid: number): string {
  const name = (readIfThere("/etc/passwd") ?? "").split("\n").map((line) => line.split(":"))
    .find(([, , number]) => number === `${uid}`)?.[0];
  return name === undefined ? `user ${uid}` : `${name} (user ${uid})`;
}
