import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { diskError } from "../store/disk-error.ts";

/** A launcher's bytes, one character each. Throws UserError when it cannot be read. */
export function readLauncher(root: string, launcher: string): string {
  const path = resolve(root, launcher);
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    throw diskError(error, `Cannot read the launcher "${path}"`);
  }
}

/**
 * Whether a launcher wants every override as an argument of its own behind `$1`.
 * The job's script, task.sh, decides by the same rule.
 */
export function asksForTokens(text: string): boolean {
  return text.includes("@:2");
}
