import { readlinkSync } from "node:fs";

/**
 * herd names itself by its process, so that it stays itself when its file is replaced; inside a
 * sandbox, and after its end, that name means nothing. The newer file in its place does the same.
 */
export function fileOfProgram(program: string): string {
  if (!program.startsWith("/proc/")) return program;
  try {
    return readlinkSync(program).replace(/ \(deleted\)$/, "");
  } catch {
    return program;
  }
}
