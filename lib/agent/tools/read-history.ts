import { z } from "../../base/schema.ts";
import { defineTool } from "../define-tool.ts";
import type { Tool } from "../tool.ts";
import type { Kit } from "./kit.ts";
import { pageRows } from "./page-rows.ts";

const TICKS = 10;

export function readHistoryTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "read_history",
    description: "What was reported at the last ticks, newest first: for questions about what " +
      "happened before.",
    input: z.strictObject({ limit: z.int().min(1).max(50).optional() }),
    acts: false,
    run({ limit = TICKS }) {
      const ticks = [...desk.ticks({ limit })].reverse();
      return pageRows(quote, {
        rows: ticks.map(({ number, triggers, summary, startedAt, usd }) => ({
          tick: number,
          at: new Date(startedAt).toISOString(),
          triggers,
          summary,
          ...(usd === null || usd === 0 ? {} : { usd }),
        })),
        offset: 0,
        total: ticks.length,
        source: "earlier ticks",
        longest: 400,
      });
    },
  });
}
