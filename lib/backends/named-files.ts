import { lstatSync } from "node:fs";
import { isAbsolute } from "node:path";

/**
 * Files that a command itself names by whole paths, such as the program and its script: whoever
 * configured it wants them read. Folders are not among them.
 */
export function namedFiles(argv: readonly string[]): string[] {
  return argv.filter((word) => {
    if (!isAbsolute(word)) return false;
    const stats = lstatSync(word, { throwIfNoEntry: false });
    return stats?.isFile() === true || stats?.isSymbolicLink() === true;
  });
}
