import type { Desk } from "../actions/desk.ts";
import type { Clock } from "../base/clock.ts";
import { createQuote, newMark } from "./quote-data.ts";
import type { Tool } from "./tool.ts";
import { bumpTools } from "./tools/bump.ts";
import { compareTrialsTool } from "./tools/compare-trials.ts";
import { endTrialsTools, resumeTrialsTool, stopAllTool } from "./tools/end-trials.ts";
import { continueTool, haltTool, scheduleNextTool } from "./tools/halt.ts";
import type { Kit } from "./tools/kit.ts";
import { readPlanTool, writePlanTool } from "./tools/plan.ts";
import { efficiencyTool, pendingReasonsTool, resultsTableTool } from "./tools/read-cluster.ts";
import { readHistoryTool } from "./tools/read-history.ts";
import { tailLogTool } from "./tools/read-logs.ts";
import { computeMetricTool, listMetricsTool } from "./tools/read-metrics.ts";
import { markUserPromptReadTool, readUserPromptTool } from "./tools/read-prompt.ts";
import { readStateTool } from "./tools/read-state.ts";
import { readParametersTool, readTrialTool } from "./tools/read-trial.ts";
import { runHalvingTool, runTrialsTool } from "./tools/run-trials.ts";
import { summarizeMetricsTool } from "./tools/summarize-metrics.ts";
import { waitForEventTool } from "./tools/wait-for-event.ts";

export interface ToolParts {
  /** Its `act` holds the caps and confirmations: no tool does anything past it. */
  desk: Desk;
  /** Who acts: `agent`, `mcp:alice`. */
  by: string;
  clock: Clock;
  /** The turn's own mark of quotations; absent: a new one. */
  mark?: string;
}

/** What a model may do with one sweep. None of them writes files, but for the plan, or runs commands. */
export function createTools({ desk, by, clock, mark = newMark() }: ToolParts): readonly Tool[] {
  const kit: Kit = { desk, by, clock, quote: createQuote(mark) };
  return [
    readStateTool(kit),
    readTrialTool(kit),
    readParametersTool(kit),
    tailLogTool(kit),
    listMetricsTool(kit),
    computeMetricTool(kit),
    summarizeMetricsTool(kit),
    compareTrialsTool(kit),
    resultsTableTool(kit),
    efficiencyTool(kit),
    pendingReasonsTool(kit),
    readHistoryTool(kit),
    readPlanTool(kit),
    writePlanTool(kit),
    readUserPromptTool(kit),
    markUserPromptReadTool(kit),
    runTrialsTool(kit),
    stopAllTool(kit),
    ...endTrialsTools(kit),
    resumeTrialsTool(kit),
    ...bumpTools(kit),
    runHalvingTool(kit),
    haltTool(kit),
    continueTool(kit),
    scheduleNextTool(kit),
    waitForEventTool(kit),
  ];
}
