import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createHash } from "node:crypto";
import { join, relative } from "node:path";

/** Every file below a folder with a digest of its content, to tell whether anything changed. */
export function tree(root: string): string[] {
  const lines: string[] = [];
  const walk = (folder: string) => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      const stats = lstatSync(path, { throwIfNoEntry: false });
      // Somebody else's process took it away in this moment.
      if (stats === undefined) continue;
      if (stats.isDirectory()) {
        lines.push(`${relative(root, path)}/`);
        walk(path);
      } else if (stats.isSymbolicLink()) {
        lines.push(`${relative(root, path)} -> ${readlinkSync(path)}`);
      } else {
        const digest = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 12);
        lines.push(`${relative(root, path)} ${digest}`);
      }
    }
  };
  walk(root);
  return lines;
}
