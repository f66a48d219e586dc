import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";

/** Where a program is on a search path; undefined when it is nowhere. Relative folders on the path do not count. */
export function findProgram(name: string, path: string | undefined): string | undefined {
  for (const folder of (path ?? "").split(":")) {
    if (!isAbsolute(folder)) continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
