import type { Request } from "../actions/desk.ts";
import { compactRanges, count } from "../base/text.ts";
import type { Grant } from "../sweep/config.ts";
import { latestAttempt } from "../sweep/state.ts";
import type { SweepState } from "../sweep/state.ts";
import { LIVE, PENDING, statusOf } from "../sweep/status.ts";
import { failedFor } from "./failed-for.ts";
import { pruneAllowance } from "./prune-allowance.ts";

/** Who is no person: a model, through our own loop, somebody's MCP client or a conversation. */
export function isModel(by: string): boolean {
  return by === "agent" || by.startsWith("mcp:") || by.startsWith("broker:");
}

export type Ruling =
  | "allowed"
  /** A person must say yes first: what would be done, in words. */
  | { confirm: string }
  | { refused: string };

export interface GuardInput {
  state: SweepState;
  grants: readonly Grant[];
  mode: "remediate" | "notify";
  bumpPercent: number;
  pruneShare: number;
}

/** How often a model may submit the same trial again without a person. */
const MOST_ATTEMPTS = 4;
/** The same for everybody but a person: indices of one request. */
const MOST_LISTED = 40;

/**
 * Whether somebody may have this done. People may do everything; a model
 * whatever destroys nothing, within the caps, and the rest by a grant of the
 * plan or with a person's yes. Text that a model has read can make it ask for
 * anything, so what it says of its reasons counts for nothing here.
 */
export function ruleOn(request: Request, by: string, input: GuardInput): Ruling {
  if (!isModel(by)) return "allowed";
  const { state } = input;
  switch (request.verb) {
    case "confirm":
      return { refused: "Only a person can confirm or deny" };
    case "stop":
      return byGrant(input, "stop", stopText(request, state));
    case "pause":
      return byGrant(input, "stop", `pause ${named(request.indices)}`);
    case "resume":
      return { confirm: `resume ${named(request.indices)}` };
    case "prune":
      return onPrune(request.indices, input);
    case "run":
      return onRun(request, input);
    case "bump":
      return onBump(request, input);
    case "halve":
      return onHalve(request, input);
    case "halt":
      return byGrant(input, "halt", "halt the sweep: nothing more would be submitted");
    case "continue":
      return state.monitor.halted === undefined
        ? "allowed"
        : { confirm: "go on after the halt, submitting trials again" };
    case "leave":
      return { confirm: "end the monitor of this sweep" };
    default:
      return "allowed";
  }
}

function byGrant({ grants }: GuardInput, grant: Grant, what: string): Ruling {
  return grants.includes(grant) ? "allowed" : { confirm: what };
}

function onPrune(indices: readonly number[], input: GuardInput): Ruling {
  const { state, grants, pruneShare } = input;
  const what = `prune ${named(indices)} for good`;
  if (!grants.includes("prune")) return { confirm: what };
  const allowance = allowanceOf(state, pruneShare);
  return new Set(indices).size <= allowance
    ? "allowed"
    : { confirm: `${what}, more than the ${count(allowance, "trial")} left of its share` };
}

/** Trials that may still be pruned without a person. */
export function allowanceOf(state: SweepState, share: number): number {
  const prunedByHerd =
    [...state.intents.values()].filter(({ intent, by }) =>
      intent === "prune" && (by === MONITOR || isModel(by))
    ).length;
  const total = [...state.trials.values()].filter(({ dropped }) => dropped !== true).length;
  return pruneAllowance({ prunedByHerd, total, share });
}

/** The rules' own name as an actor. */
export const MONITOR = "monitor";

function onRun(
  { indices, force = false }: Extract<Request, { verb: "run" }>,
  input: GuardInput,
): Ruling {
  const { state, grants } = input;
  // Trials that do not exist are refused behind this, in better words.
  const known = [...new Set(indices ?? state.trials.keys())].filter((index) =>
    state.trials.has(index)
  );
  const isLost = (index: number) => {
    const status = statusOf(state, index);
    return LIVE.has(status) || status === "completed";
  };
  const lost = known.filter(isLost);
  if (indices === undefined) {
    const pending = known.filter((index) =>
      PENDING.has(statusOf(state, index)) && state.trials.get(index)?.dropped !== true
    );
    return onSubmit(pending, input);
  }
  if (force && lost.length > 0 && !grants.includes("force")) {
    return { confirm: `run ${named(lost)} again, which are live or completed` };
  }
  return onSubmit(force ? known : known.filter((index) => !isLost(index)), input);
}

function onSubmit(chosen: readonly number[], { state, mode }: GuardInput): Ruling {
  if (chosen.length === 0) return "allowed";
  if (state.monitor.halted !== undefined) {
    return { confirm: `submit ${named(chosen)} although the sweep is halted` };
  }
  // The rollout and its canary are there for a reason.
  const held = chosen.filter((index) => latestAttempt(state, index) === undefined);
  const { phase } = state.monitor;
  if (held.length > 0 && phase !== undefined && phase !== "live" && phase !== "done") {
    return { confirm: `submit ${named(held)} before the rollout does` };
  }
  const set = chosen.filter((index) => state.intents.has(index));
  if (set.length > 0) {
    return { confirm: `submit ${named(set)} again, which somebody stopped or set aside` };
  }
  const failed = chosen.filter((index) => statusOf(state, index) === "failed");
  if (mode === "notify" && failed.length > 0) {
    return { confirm: `submit ${named(failed)} again, though failures are only reported here` };
  }
  const often = chosen.filter((index) =>
    (state.attemptsOf.get(index)?.length ?? 0) >= MOST_ATTEMPTS
  );
  return often.length === 0
    ? "allowed"
    : { confirm: `submit ${named(often)} once more after ${MOST_ATTEMPTS} attempts` };
}

/** The rules halve by themselves as the YAML says, from the time on when all trials run. */
function onHalve(
  { dryRun }: Extract<Request, { verb: "halve" }>,
  { state: { monitor } }: GuardInput,
): Ruling {
  if (dryRun === true) return "allowed";
  if (monitor.halted !== undefined) return { confirm: "halve although the sweep is halted" };
  return monitor.phase === "live"
    ? "allowed"
    : { confirm: "halve now, though the rollout is not at all trials" };
}

function onBump(request: Extract<Request, { verb: "bump" }>, input: GuardInput): Ruling {
  const ruling = onSize(request, input);
  if (ruling !== "allowed" || request.resubmit !== true) return ruling;
  // Where it may ask for more in spite of `notify`, it may also use it.
  const failed = failedFor(input.state, request.what, request.trials);
  return onSubmit(failed, { ...input, mode: "remediate" });
}

function onSize(
  request: Extract<Request, { verb: "bump" }>,
  { state, grants, mode, bumpPercent }: GuardInput,
): Ruling {
  const { percent = bumpPercent } = request;
  const size = request.to === undefined
    ? `${percent} %`
    : request.what === "memory"
    ? `to ${request.to} MiB`
    : `to ${Math.round(request.to / 60)} min`;
  const what = `ask for more ${request.what} (${size})`;
  if (grants.includes("bump")) return "allowed";
  if (mode === "notify") return { confirm: `${what}, though failures are only reported here` };
  const before = state.monitor.bumps.some((bump) =>
    bump.what === request.what && (bump.by === MONITOR || isModel(bump.by))
  );
  if (before) return { confirm: `${what}, a second time in this sweep` };
  const isSmall = request.to === undefined && percent > 0 && percent <= bumpPercent;
  return isSmall ? "allowed" : { confirm: what };
}

/**
 * What a person's words in a chat would end or throw away, as a question has it; undefined for
 * what can be taken back. Words are easily misread; a slash command has buttons of its own.
 */
export function wordsWouldEnd(request: Request, state: SweepState): string | undefined {
  switch (request.verb) {
    case "stop":
      return request.indices === "all" || request.indices.length > 1
        ? stopText(request, state)
        : undefined;
    case "prune":
      return `prune ${named(request.indices)}; what they have not saved is lost`;
    case "run":
      return request.force === true && request.indices !== undefined
        ? `run ${named(request.indices)} again, also what is live or completed`
        : undefined;
    default:
      return undefined;
  }
}

function stopText(
  { indices }: Extract<Request, { verb: "stop" }>,
  state: SweepState,
): string {
  if (indices !== "all") return `stop ${named(indices)}`;
  const live = [...state.trials.keys()].filter((index) => LIVE.has(statusOf(state, index)));
  return `stop all ${count(live.length, "live trial")}`;
}

function named(indices: readonly number[]): string {
  const ranges = compactRanges(indices);
  const shown = ranges.length > MOST_LISTED ? `${ranges.slice(0, MOST_LISTED)}…` : ranges;
  return `${indices.length === 1 ? "trial" : "trials"} ${shown}`;
}
