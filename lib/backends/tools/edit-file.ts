import { UserError } from "../../base/errors.ts";
import { z } from "../../base/schema.ts";
import { defineTool } from "../../agent/define-tool.ts";
import type { Tool } from "../../agent/tool.ts";
import { readConfined, writeConfined } from "../confined-file.ts";
import type { Place } from "../confined-path.ts";
import { textOf, withPath } from "./file-mistake.ts";

const MOST = 8 * 1024 * 1024;

const input = z.strictObject({
  path: z.string().describe("Relative to the task's folder"),
  old: z.string().min(1).describe("Text that is there, to the letter"),
  new: z.string().describe("Text that takes its place"),
  all: z.boolean().optional().describe("Every place where it stands; absent: it must be one"),
});

/** `onWritten` hears of each file, by the path that the model named. */
export function editFileTool(place: Place, onWritten: (path: string) => void): Tool {
  return defineTool({
    name: "edit_file",
    description: "Replaces a piece of a text file. The old text must stand there exactly once, " +
      "line ends and spaces included, unless all is true.",
    input,
    acts: true,
    run: ({ path, old, new: text, all = false }) =>
      withPath("edit", path, () => {
        const before = textOf(readConfined(place, path, { most: MOST }), path);
        const times = before.split(old).length - 1;
        if (times === 0) {
          throw new UserError(`Cannot edit ${JSON.stringify(path)}: the old text is not in it`);
        }
        if (times > 1 && !all) {
          throw new UserError(
            `Cannot edit ${JSON.stringify(path)}: the old text stands there ${times} times`,
            { hint: "Give more of what is around it, or set all to true" },
          );
        }
        writeConfined(place, path, before.split(old).join(text));
        onWritten(path);
        return `Replaced ${times === 1 ? "once" : `${times} times`}`;
      }),
  });
}
