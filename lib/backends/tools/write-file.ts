import { z } from "../../base/schema.ts";
import { defineTool } from "../../agent/define-tool.ts";
import type { Tool } from "../../agent/tool.ts";
import { writeConfined } from "../confined-file.ts";
import type { Place } from "../confined-path.ts";
import { withPath } from "./file-mistake.ts";

const input = z.strictObject({
  path: z.string().describe("Relative to the task's folder; missing folders are made"),
  content: z.string().describe("All of the file"),
});

/** `onWritten` hears of each file, by the path that the model named. */
export function writeFileTool(place: Place, onWritten: (path: string) => void): Tool {
  return defineTool({
    name: "write_file",
    description: "Writes a whole text file, in place of what was there.",
    input,
    acts: true,
    repeatable: true,
    run: ({ path, content }) =>
      withPath("write", path, () => {
        writeConfined(place, path, content);
        onWritten(path);
        return `Written: ${new TextEncoder().encode(content).length} bytes`;
      }),
  });
}
