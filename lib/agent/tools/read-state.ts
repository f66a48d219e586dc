import type { InfoDocument, TrialDocument } from "../../actions/desk.ts";
import { z } from "../../base/schema.ts";
import { STATUSES } from "../../sweep/status.ts";
import { defineTool } from "../define-tool.ts";
import type { Tool } from "../tool.ts";
import type { Kit } from "./kit.ts";
import { pageArguments, pageRows } from "./page-rows.ts";
import { readTrials, trialList } from "./trial-list.ts";

const PAGE = 20;
const SHOWN = [
  "index",
  "status",
  "experiment_name",
  "note",
  "cause",
  "step",
  "elapsed_seconds",
  "silent_seconds",
  "last_log_line",
] as const;

export function readStateTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "read_state",
    description: "The sweep now: totals, phase, halt, budget, and a page of trials with status, " +
      "note, step and last log line. Filter by status or trials. Start here.",
    input: z.strictObject({
      statuses: z.array(z.enum(STATUSES as readonly [string, ...string[]])).optional(),
      trials: trialList.optional(),
      ...pageArguments,
    }),
    acts: false,
    run({ statuses, trials, offset = 0, limit = PAGE }) {
      const page = desk.status({
        ...(statuses === undefined || statuses.length === 0 ? {} : { statuses }),
        ...(trials === undefined ? {} : { indices: readTrials(trials) }),
        offset,
        limit,
      });
      return pageRows(quote, {
        head: { totals: page.totals, ...infoOf(desk.info()) },
        rows: page.items.map(rowOf),
        offset,
        total: page.total,
        source: "state of the sweep, one trial per line",
        longest: 120,
      });
    },
  });
}

function rowOf(trial: TrialDocument): object {
  return Object.fromEntries(
    SHOWN.filter((key) => Object.hasOwn(trial, key)).map((key) => [key, trial[key]]),
  );
}

function infoOf(info: InfoDocument): object {
  return {
    sweep: info.sweep,
    phase: info.phase,
    stage: info.stage,
    halted: info.halted,
    next_tick: info.nextTickAt === null ? null : new Date(info.nextTickAt).toISOString(),
    spent_usd: { all: round(info.spent.usd), today: round(info.spent.today) },
    budget_usd: info.budget,
    question: info.question,
    open_confirmations: info.confirmations.slice(0, 5).map(({ id, what }) => ({ id, what })),
  };
}

function round(usd: number): number {
  return Math.round(usd * 10_000) / 10_000;
}
