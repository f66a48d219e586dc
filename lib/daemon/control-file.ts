import { unlinkSync } from "node:fs";
import { z } from "../base/schema.ts";
import { codeOf, readIfThere, replaceFile } from "../base/files.ts";
import type { WorkspacePaths } from "../store/paths.ts";

/** Who runs a sweep and where that daemon answers: `.hyperherd/control.json`. */
const ControlFileSchema = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.int().positive(),
  port: z.int().positive(),
  socket: z.string(),
  token_file: z.string(),
});

export type ControlFile = z.infer<typeof ControlFileSchema>;

type Place = Pick<WorkspacePaths, "control">;

export function writeControlFile({ control }: Place, content: ControlFile): void {
  replaceFile(control, `${JSON.stringify(content, null, 2)}\n`, 0o600);
}

/** Undefined when no daemon runs the sweep, or one that cannot be understood. */
export function readControlFile({ control }: Place): ControlFile | undefined {
  try {
    const text = readIfThere(control);
    return text === undefined ? undefined : ControlFileSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function removeControlFile(place: Place, pid: number): void {
  if (readControlFile(place)?.pid !== pid) return;
  try {
    unlinkSync(place.control);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}
