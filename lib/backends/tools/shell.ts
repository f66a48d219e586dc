import { cleanText } from "../../agent/quote-data.ts";
import { defineTool } from "../../agent/define-tool.ts";
import { RESULT_LIMIT, type Tool } from "../../agent/tool.ts";
import { RefusedError, UserError } from "../../base/errors.ts";
import { z } from "../../base/schema.ts";
import type { SessionEnd } from "../../base/session.ts";
import { createKeptOutput } from "../kept-output.ts";
import type { Programs } from "../programs.ts";

/** Longest time that the model may ask for. Seconds. */
export const LONGEST_SHELL = 3600;
const SECONDS = 120;
const HEAD = 2_000;
const TAIL = RESULT_LIMIT - HEAD - 500;
/** What is left in the background ends with the call. */
const LEFT_MS = 300;

const input = z.strictObject({
  command: z.string().min(1).optional().describe("For bash -c"),
  argv: z.array(z.string()).min(1).optional().describe("Instead: a program and its arguments"),
  timeout_seconds: z.int().min(1).max(LONGEST_SHELL).optional()
    .describe(`${SECONDS} when absent`),
});

export function shellTool(programs: Programs): Tool {
  return defineTool({
    name: "shell",
    description:
      "Runs a command in the task's folder, without input, and tells its exit code and " +
      "its output; of long output the beginning and the end. What it leaves in the background is " +
      "ended.",
    input,
    acts: true,
    repeatable: true,
    async run({ command, argv, timeout_seconds: seconds = SECONDS }, signal) {
      if ((command === undefined) === (argv === undefined)) {
        throw new UserError("Cannot run this: give either command or argv");
      }
      const words = argv ?? ["bash", "-c", command ?? ""];
      if (words.some((word) => word.includes("\0"))) {
        throw new UserError("Cannot run this: a command cannot hold NUL");
      }
      const output = createKeptOutput({ head: HEAD, tail: TAIL });
      const end = await programs.run({
        argv: words,
        timeoutMs: seconds * 1000,
        leftMs: LEFT_MS,
        signal,
        onOutput: output.add,
      });
      if ("refused" in end) throw new RefusedError(end.refused);
      signal.throwIfAborted();
      return `${howEnded(end, words, seconds)}\n${cleanText(output.text()) || "(no output)"}`;
    },
  });
}

function howEnded(end: SessionEnd, argv: readonly string[], seconds: number): string {
  const time = `after ${(end.durationMs / 1000).toFixed(1)} s`;
  if (end.timedOut) return `Ended: it ran longer than ${seconds} s`;
  if (end.spawnError !== undefined) {
    return `Not run: "${argv[0]}" cannot be started (${end.spawnError})`;
  }
  return end.signal === undefined
    ? `Exit code ${end.exitCode} ${time}`
    : `Ended by ${end.signal} ${time}`;
}
