import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import type { PoolPlace } from "./pool-place.ts";

/**
 * The words that start herd on a node that sees the pool's folder. A program on another file system
 * than that is copied there once; `says` tells of it then.
 */
export function reachableProgram(
  self: readonly string[],
  place: Pick<PoolPlace, "root" | "programs">,
): { words: readonly string[]; says: string | undefined } {
  const [program = "", ...more] = self;
  const stats = statSync(program, { throwIfNoEntry: false });
  // Run by an interpreter, it is many files; and what is gone cannot be copied.
  if (more.length > 0 || stats === undefined) return { words: self, says: undefined };
  if (stats.dev === statSync(place.root).dev) return { words: self, says: undefined };
  const copy = join(place.programs, `herd-${stats.size}-${Math.floor(stats.mtimeMs)}`);
  if (existsSync(copy)) return { words: [copy], says: undefined };
  mkdirSync(place.programs, { recursive: true, mode: 0o700 });
  const part = `${copy}.${process.pid}.tmp`;
  copyFileSync(program, part);
  chmodSync(part, 0o700);
  renameSync(part, copy);
  return { words: [copy], says: `Workers in SLURM run "${copy}", a copy of "${program}"` };
}
