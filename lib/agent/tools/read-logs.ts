import { z } from "../../base/schema.ts";
import { defineTool } from "../define-tool.ts";
import type { Tool } from "../tool.ts";
import type { Kit } from "./kit.ts";
import { requireTrial, trialIndex } from "./trial-list.ts";

const LINES = 20;
const MOST_LINES = 1_000;

export function tailLogTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "tail_log",
    description: `The last lines (${LINES}) of a trial's log. stderr unless told otherwise.`,
    input: z.strictObject({
      trial: trialIndex,
      lines: z.int().min(1).max(MOST_LINES).optional(),
      stream: z.enum(["stderr", "stdout"]).optional(),
    }),
    acts: false,
    run({ trial, lines = LINES, stream = "stderr" }) {
      requireTrial(desk, trial);
      const page = desk.log(trial, { stream, lines });
      const other = stream === "stderr" ? "stdout" : "stderr";
      if (page.text.trim() === "") {
        return page.size === 0
          ? `Trial ${trial} has written nothing to ${stream}; try stream "${other}".`
          : `The last ${lines} lines of ${stream} of trial ${trial} are empty (${page.size} bytes).`;
      }
      return quote(page.text, { source: `${stream} of trial ${trial}, last lines`, keep: "end" });
    },
  });
}
