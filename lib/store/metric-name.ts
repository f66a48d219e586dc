import { UserError } from "../base/errors.ts";

/** Longest name of a file that every file system takes, in bytes. */
const LONGEST_SEGMENT = 255 - ".jsonl".length;

/**
 * The parts of a metric's name; all but the last are folders. Throws UserError
 * for a name that would leave the trial's own folder or cannot be a file.
 */
export function metricSegments(name: string): readonly string[] {
  const refuse = (state: string, hint = "Use a name such as loss or val/loss") => {
    throw new UserError(`Cannot use ${JSON.stringify(name)} as a metric's name: ${state}`, {
      hint,
    });
  };
  if (name.trim() === "") refuse("it is empty");
  if (name.startsWith("/")) refuse("it is an absolute path");
  if (name.endsWith("/")) refuse("it ends with a slash");
  if (/\p{Cc}/u.test(name)) refuse("it holds a control character");
  const segments = name.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) refuse('it holds ".."');
  if (segments.some((segment) => Buffer.byteLength(segment) > LONGEST_SEGMENT)) {
    refuse(`a part of it is longer than ${LONGEST_SEGMENT} bytes`);
  }
  if (segments.length === 0) refuse("it names no file");
  return segments;
}

export function isMetricName(name: string): boolean {
  try {
    return metricSegments(name).join("/") === name;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Final values live in one file, so any text on one line can name one. */
export function checkFinalName(name: string): void {
  const empty = name.trim() === "";
  if (!empty && !/\p{Cc}/u.test(name)) return;
  const state = empty ? "it is empty" : "it holds a control character";
  throw new UserError(`Cannot use ${JSON.stringify(name)} as a result's name: ${state}`, {
    hint: "Use a name such as accuracy",
  });
}
