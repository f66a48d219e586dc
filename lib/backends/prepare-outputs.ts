import { rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Work } from "../tasks/backend.ts";
import { writeConfined } from "./confined-file.ts";
import { openFolder, placeIn, resolveIn } from "./confined-path.ts";

/**
 * Takes away what an earlier run may have left, so that nobody's old answer is told for this task's,
 * and answers the files that a read-only sandbox has to let through: they have to be there for that,
 * so they are made empty.
 */
export function prepareOutputs(
  { folder, sandbox }: Pick<Work, "folder" | "sandbox">,
  files: readonly string[],
): string[] {
  const place = placeIn(folder);
  for (const file of files) {
    // The name itself is taken away, not what a link of that name leads to.
    using parent = openFolder(place, resolveIn(place, dirname(file)), { create: true });
    rmSync(`${parent.base}/${basename(file)}`, { force: true, recursive: true });
    if (sandbox.level === "read-only") writeConfined(place, file, "");
  }
  return sandbox.level === "read-only" ? files.map((file) => join(folder, file)) : [];
}
