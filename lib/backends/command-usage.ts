import { z } from "../base/schema.ts";
import type { WorkUse } from "../tasks/backend.ts";
import { readConfined } from "./confined-file.ts";
import { placeIn } from "./confined-path.ts";

const MOST = 1024 * 1024;
const tokens = z.number().int().min(0).max(1e12);

/** One call or all of them; parts do not overlap: `input` is without what was read from a cache. */
const use = z.object({
  model: z.string().min(1).max(200).optional(),
  input: tokens.optional(),
  output: tokens.optional(),
  cacheRead: tokens.optional(),
  cacheWrite: tokens.optional(),
  /** US dollars. */
  usd: z.number().min(0).max(1e6).optional(),
}).refine((one) => Object.keys(one).some((key) => key !== "model"), "no number that is known");
const uses = z.union([use.transform((one) => [one]), z.array(use).max(10_000)]);

/** What a program says that it used; `problem` ends a sentence that begins with the file's name. */
export function readUsage(
  { folder, file, model }: { folder: string; file: string; model: string | undefined },
): { uses: WorkUse[] } | { problem: string } {
  let text: string;
  try {
    text = new TextDecoder().decode(readConfined(placeIn(folder), file, { most: MOST }));
  } catch {
    return { problem: "is not there or cannot be read" };
  }
  // Made beforehand where nothing else may be written; the program left it as it was.
  if (text.trim() === "") return { uses: [] };
  try {
    const read = uses.parse(JSON.parse(text));
    return {
      uses: read.map((one) => ({
        model: one.model ?? model ?? "unknown",
        input: one.input ?? 0,
        output: one.output ?? 0,
        cacheRead: one.cacheRead ?? 0,
        cacheWrite: one.cacheWrite ?? 0,
        usd: one.usd,
      })),
    };
  } catch {
    return {
      problem: "is not as it should be: an object, or a list of such, with model, input, " +
        "output, cacheRead, cacheWrite and usd",
    };
  }
}
