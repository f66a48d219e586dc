import { z } from "../../base/schema.ts";
import { defineTool } from "../../agent/define-tool.ts";
import { RESULT_LIMIT, type Tool } from "../../agent/tool.ts";
import { readConfined } from "../confined-file.ts";
import type { Place } from "../confined-path.ts";
import { textOf, withPath } from "./file-mistake.ts";

/** Larger files are for the shell. Bytes. */
const MOST = 32 * 1024 * 1024;
/** Room for the notice. Characters. */
const PAGE = RESULT_LIMIT - 300;
const LINES = 400;

const input = z.strictObject({
  path: z.string().describe("Relative to the task's folder"),
  offset: z.int().min(1).optional().describe("First line, counted from 1"),
  limit: z.int().min(1).max(10_000).optional().describe(`Lines at most, ${LINES} when absent`),
});

export function readFileTool(place: Place): Tool {
  return defineTool({
    name: "read_file",
    description: "Reads a text file, or a part of it by lines. Says how to get the next part.",
    input,
    acts: false,
    run: ({ path, offset = 1, limit = LINES }) =>
      withPath("read", path, () => {
        const text = textOf(readConfined(place, path, { most: MOST }), path);
        return page(text, offset, limit);
      }),
  });
}

function page(text: string, offset: number, limit: number): string {
  if (text === "") return "(The file is empty.)";
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (offset > lines.length) return `(The file has ${lines.length} lines.)`;
  let shown = "";
  let at = offset - 1;
  for (; at < lines.length && at < offset - 1 + limit; at++) {
    const line = `${lines[at]}\n`;
    if (shown.length + line.length > PAGE) break;
    shown += line;
  }
  if (at === offset - 1) {
    const line = lines[at] ?? "";
    return `${line.slice(0, PAGE).toWellFormed()}\n` +
      `(Line ${offset} has ${line.length} characters, this is its beginning; ` +
      `the file has ${lines.length} lines.)`;
  }
  return at === lines.length
    ? shown
    : `${shown}(Lines ${offset} to ${at} of ${lines.length}; go on with offset ${at + 1}.)`;
}
