import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";

const CAUSES: Readonly<Record<string, { state: string; hint: string }>> = {
  ENOSPC: { state: "no space is left on the disk", hint: "Free some space, then run it again" },
  EDQUOT: {
    state: "your disk quota is used up",
    hint: "Remove some files or ask for more quota, then run it again",
  },
  EFBIG: {
    state: "the file would be larger than allowed (ulimit -f)",
    hint: "Raise the limit on file sizes",
  },
  EIO: {
    state: "the disk reported an input/output error",
    hint: "Check the file system; nothing of this change was kept",
  },
  EROFS: {
    state: "the file system is read-only",
    hint: "Use a node on which the workspace can be written",
  },
  EACCES: { state: "permission denied", hint: "Check who owns the workspace and its modes" },
  EPERM: { state: "the system does not permit it", hint: "Check who owns the workspace" },
  ESTALE: {
    state: "the file server forgot the open file (stale handle)",
    hint: "Run it again; if it stays, leave and enter the folder again",
  },
};

/** The same failure in the user's words when the disk is to blame; other errors pass as they are. */
export function diskError(error: unknown, cannot: string): unknown {
  const cause = CAUSES[codeOf(error) ?? codeInText(error)];
  if (cause === undefined || error instanceof UserError) return error;
  return new UserError(`${cannot}: ${cause.state}`, { hint: cause.hint, cause: error });
}

/** Whether something could not be written because the disk or the quota is full. */
export function isOutOfSpace(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = codeOf(at) ?? codeInText(at);
    if (code === "ENOSPC" || code === "EDQUOT") return true;
  }
  return false;
}

/** Deno leaves the code out of the rarer failures and only words them. Linux's numbers. */
const NUMBERS: Readonly<Record<string, string>> = {
  "5": "EIO",
  "27": "EFBIG",
  "28": "ENOSPC",
  "30": "EROFS",
  "116": "ESTALE",
  "122": "EDQUOT",
};

function codeInText(error: unknown): string {
  const number = error instanceof Error
    ? /\(os error (\d+)\)$/.exec(error.message)?.[1]
    : undefined;
  return NUMBERS[number ?? ""] ?? "";
}
