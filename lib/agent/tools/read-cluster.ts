import { z } from "../../base/schema.ts";
import { defineTool } from "../define-tool.ts";
import type { Tool } from "../tool.ts";
import { asked } from "./asked.ts";
import type { Kit } from "./kit.ts";
import { pageArguments, pageRows, quoteFacts } from "./page-rows.ts";

const PAGE = 30;

export function efficiencyTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "efficiency",
    description: "How much of the memory, time and processors asked for was used, with advice.",
    input: z.strictObject({}),
    acts: false,
    run: async () =>
      quoteFacts(quote, await asked(quote, () => desk.efficiency()), "use of resources"),
  });
}

export function pendingReasonsTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "pending_reasons",
    description:
      "Why trials wait in the queue and when the scheduler thinks they start. Asks the " +
      "scheduler: only when somebody wonders about waiting.",
    input: z.strictObject(pageArguments),
    acts: false,
    async run({ offset = 0, limit = PAGE }) {
      const document = await asked(quote, () => desk.queue());
      const { rows, head } = apart(document as Readonly<Record<string, unknown>>, "trials");
      return pageRows(quote, {
        head,
        rows: rows.slice(offset, offset + limit),
        offset,
        total: rows.length,
        source: "the scheduler's queue",
      });
    },
  });
}

export function resultsTableTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "results_table",
    description: "Results of all trials by index; with best: true the best trials first, by the " +
      "named metric or the objective.",
    input: z.strictObject({
      metric: z.string().min(1).max(300).optional(),
      best: z.boolean().optional(),
      ...pageArguments,
    }),
    acts: false,
    async run({ metric, best, offset = 0, limit = PAGE }) {
      // The best are counted from the top, so a later page is asked for with all before it.
      const query = best === true ? { best, limit: offset + limit } : { offset, limit };
      const document = await asked(
        quote,
        () => desk.results({ ...query, ...(metric === undefined ? {} : { metric }) }),
      );
      const { rows, head } = apart(document as Readonly<Record<string, unknown>>);
      const { total, offset: _, ...facts } = head;
      return pageRows(quote, {
        head: facts,
        rows: best === true ? rows.slice(offset) : rows,
        offset,
        total: typeof total === "number" ? total : offset + rows.length,
        source: "results",
      });
    },
  });
}

/** The list that a document is about (that of a name, else the longest), and the rest of it. */
function apart(
  document: Readonly<Record<string, unknown>>,
  name?: string,
): { rows: readonly unknown[]; head: Readonly<Record<string, unknown>> } {
  const lists = Object.entries(document).filter((entry): entry is [string, unknown[]] =>
    Array.isArray(entry[1]) && (name === undefined || entry[0] === name)
  );
  const [key, rows] = lists.sort(([, a], [, b]) => b.length - a.length)[0] ?? ["", []];
  const head = Object.fromEntries(Object.entries(document).filter(([one]) => one !== key));
  return { rows, head };
}
