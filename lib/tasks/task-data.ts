import { z } from "../base/schema.ts";

/** A file that a task comes with. */
export interface TaskFile {
  /** In the folder `data` of the attempt. */
  name: string;
  text: string;
}

/** What the journal knows of a task's files; they themselves are kept beside it under their digest. */
export interface TaskData {
  /** SHA-256 of all of them together, in hex. */
  sha256: string;
  names: readonly string[];
  /** Those that an agent may propose to change, each with the SHA-256 of what it is given. */
  proposes: readonly { name: string; sha256: string }[];
}

/** Files, and UTF-16 units of each and of all together: they travel with every offer of the task. */
export const DATA_BOUNDS = { files: 16, text: 96 * 1024, all: 256 * 1024 } as const;

/** No separator, no leading dot or dash. */
export const DATA_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,79}$/;

export const TASK_FILES = z.array(z.object({
  name: z.string().regex(DATA_NAME),
  text: z.string().max(DATA_BOUNDS.text),
})).max(DATA_BOUNDS.files);

/** In the place of data that retention has deleted. */
export const DATA_GONE: TaskFile = {
  name: "README.txt",
  text: "The files that this task came with are not kept any more. Say so, and do what can be " +
    "done without them.\n",
};

/** Why these files cannot go with a task, a sentence without period; undefined when they can. */
export function refuseFiles(files: readonly TaskFile[]): string | undefined {
  const { success } = TASK_FILES.safeParse(files);
  const size = files.reduce((sum, { text }) => sum + text.length, 0);
  const names = new Set(files.map(({ name }) => name.toLowerCase()));
  return success && size <= DATA_BOUNDS.all && names.size === files.length
    ? undefined
    : `Cannot give these files along: at most ${DATA_BOUNDS.files} of ${DATA_BOUNDS.text} ` +
      `characters, ${DATA_BOUNDS.all} together, each with a plain name of its own`;
}
