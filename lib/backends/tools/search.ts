import { relative } from "node:path";
import { cleanText } from "../../agent/quote-data.ts";
import { defineTool } from "../../agent/define-tool.ts";
import { RESULT_LIMIT, type Tool } from "../../agent/tool.ts";
import { RefusedError, UserError } from "../../base/errors.ts";
import { z } from "../../base/schema.ts";
import { type Place, resolveIn } from "../confined-path.ts";
import { createKeptOutput } from "../kept-output.ts";
import type { Programs } from "../programs.ts";
import { withPath } from "./file-mistake.ts";

const SECONDS = 60;
const MATCHES = 200;
const LINE = 300;

const input = z.strictObject({
  pattern: z.string().min(1).max(1_000).describe("An extended regular expression, as of grep -E"),
  path: z.string().optional().describe("File or folder; absent: the task's folder"),
  literal: z.boolean().optional().describe("The pattern is plain text"),
  ignore_case: z.boolean().optional(),
  files: z.string().max(200).optional().describe('Names to look into, such as "*.py"'),
});

/** grep in a process of its own, as far as the sandbox lets it: no pattern can hold up the attempt. */
export function searchTool(place: Place, programs: Programs): Tool {
  return defineTool({
    name: "search",
    description: "Looks for a pattern in the text files of a folder; answers PATH:LINE:TEXT.",
    input,
    acts: false,
    async run({ pattern, path = ".", literal, ignore_case, files }, signal) {
      if (`${pattern}${files ?? ""}`.includes("\0")) {
        throw new UserError("Cannot search for this: a pattern cannot hold NUL");
      }
      const real = withPath("search", path, () => resolveIn(place, path));
      const inside = `./${relative(place.root, real)}`;
      const output = createKeptOutput({ head: 200_000, tail: 1 });
      const errors = createKeptOutput({ head: 500, tail: 1 });
      const end = await programs.run({
        argv: [
          "grep",
          "-rnI",
          literal === true ? "-F" : "-E",
          ...(ignore_case === true ? ["-i"] : []),
          ...(files === undefined ? [] : [`--include=${files}`]),
          "-e",
          pattern,
          "--",
          place.anywhere ? real : inside,
        ],
        env: { LC_ALL: "C.UTF-8" },
        timeoutMs: SECONDS * 1000,
        leftMs: 0,
        signal,
        onOutput: (stream, bytes) => (stream === "stdout" ? output : errors).add(stream, bytes),
      });
      if ("refused" in end) throw new RefusedError(end.refused);
      const found = shown(cleanText(output.text()));
      if (end.timedOut) return `${found}\n(Given up after ${SECONDS} s: look into fewer files.)`;
      if (found !== "") return found;
      if (end.exitCode === 1) return "(Nothing found.)";
      const why = cleanText(errors.text()).trim() || end.spawnError || `exit code ${end.exitCode}`;
      throw new UserError(`Cannot search: ${why}`);
    },
  });
}

function shown(text: string): string {
  const lines = text.split("\n").filter((line) => line !== "");
  const kept: string[] = [];
  let length = 0;
  for (const line of lines.slice(0, MATCHES)) {
    const short = line.length > LINE ? `${line.slice(0, LINE).toWellFormed()}…` : line;
    length += short.length + 1;
    if (length > RESULT_LIMIT - 300) break;
    kept.push(short.replace(/^\.\//, ""));
  }
  if (kept.length < lines.length) kept.push("(There are more: search for less.)");
  return kept.join("\n");
}
