import type { Bump } from "../sweep/monitor-event.ts";
import { bumped, ceilingOf, sizeText } from "./bumped.ts";
import type { FailedAttempt } from "./failed-attempt.ts";
import { onlyNotified, retriesOf } from "./judgement.ts";
import type { Judgement, TriageInput } from "./judgement.ts";

type What = Bump["what"];
type Made = Bump & { at: number };

/** Judges failures for want of memory or time, and keeps the bumps that this takes. */
export interface ResourceTriage {
  /** Undefined for other failures. */
  judge(failed: FailedAttempt): Judgement | undefined;
  made(): Bump[];
}

/**
 * One bump per failure class: of the sweep, or of each trial where bumps are
 * for trials. All that failed before it was made share it; once one has failed
 * under it, the class is only reported.
 */
export function createResourceTriage(
  input: TriageInput,
  failures: readonly FailedAttempt[],
): ResourceTriage {
  const bumps: Made[] = [];
  // What failed under the bump counts before what failed before it, whatever their order.
  const spent = spentBumps(input, failures);

  function judge(failed: FailedAttempt): Judgement | undefined {
    const what = whatOf(failed);
    if (what === undefined) return undefined;
    if (input.mode === "notify") return onlyNotified();
    const all = [...input.bumps, ...bumps];
    const last = coveringBump(all, failed, what, input);
    const ofTheClass = ofClass(all, failed, input);
    if (last !== undefined && !ranUnder(last, failed)) {
      return spent.has(last.id) ? wasNotEnough(last, last) : shared(last, failed);
    }
    if (ofTheClass !== undefined) {
      return last === undefined ? usedUp(ofTheClass) : wasNotEnough(last, ofTheClass);
    }
    return raisedSince(input, failed, what) ?? bumpFor(failed, what);
  }

  function bumpFor(failed: FailedAttempt, what: What): Judgement {
    const { from, trials } = target(input, failed, what);
    const more = bumped(from, input.settings.bumpPercent, { what, ceiling: ceiling(input, what) });
    if ("cannot" in more) return { decision: "notify", why: `${more.cannot}, so it is not raised` };
    const had = sizeOf(failed, what);
    if (had !== undefined && had >= more.to) {
      const why = `It had ${sizeText(what, had)} already, more than a bump would give it now`;
      return { decision: "notify", why };
    }
    const bump: Made = {
      id: input.newId(),
      what,
      failure: failed.failure,
      from: from!,
      to: more.to,
      trials: trials === "sweep" ? trials : peers(failed, what, from),
      at: Infinity,
    };
    bumps.push(bump);
    return shared(bump, failed);
  }

  /** Those that failed at once for the same want at the same size. */
  function peers(failed: FailedAttempt, what: What, from: number | null): number[] {
    const same = failures.filter((other) => {
      if (other.failure !== failed.failure) return false;
      const one = target(input, other, what);
      const isFree = ofClass([...input.bumps, ...bumps], other, input) === undefined;
      return one.trials !== "sweep" && one.from === from && isFree;
    });
    return [...new Set(same.map(({ trial }) => trial))].sort((a, b) => a - b);
  }

  return { judge, made: () => bumps.map(({ at: _, ...bump }) => bump) };
}

function whatOf({ failure }: FailedAttempt): What | undefined {
  return failure === "out-of-memory" ? "memory" : failure === "timeout" ? "time" : undefined;
}

/** What a bump for this trial would raise: the sweep's setting, or its own where that one says nothing. */
function target(
  { asked, sweep, settings }: TriageInput,
  { trial }: FailedAttempt,
  what: What,
): { from: number | null; trials: "sweep" | "own" } {
  const own = asked.get(trial);
  const isOwn = settings.scope === "trial" || own?.byCondition[what] === true;
  const sizes = isOwn ? own ?? sweep : sweep;
  return {
    from: what === "memory" ? sizes.memoryMiB : sizes.timeSeconds,
    trials: isOwn ? "own" : "sweep",
  };
}

function ceiling({ limits, settings }: TriageInput, what: What): number | undefined {
  return what === "memory"
    ? ceilingOf(limits.maxMemoryMiB, settings.maxMemoryMiB)
    : ceilingOf(limits.maxTimeSeconds, settings.maxTimeSeconds);
}

/** The last bump that changed what this trial is submitted with, whoever made it. */
function coveringBump(
  bumps: readonly Made[],
  { trial }: FailedAttempt,
  what: What,
  { asked }: TriageInput,
): Made | undefined {
  return bumps.findLast((bump) =>
    bump.what === what && (
      bump.trials === "sweep"
        ? asked.get(trial)?.byCondition[what] !== true
        : bump.trials.includes(trial)
    )
  );
}

/** The one bump that the rules made for this class: of the sweep, or of this trial. */
function ofClass(
  bumps: readonly Made[],
  { failure, trial }: FailedAttempt,
  { settings }: TriageInput,
): Made | undefined {
  return bumps.findLast((bump) =>
    bump.failure === failure &&
    (settings.scope === "sweep" || bump.trials === "sweep" || bump.trials.includes(trial))
  );
}

/**
 * By when it was submitted: what is submitted after a bump has had it, even if
 * somebody took it back since, or the same trial would be tried for ever.
 */
function ranUnder(bump: Made, failed: FailedAttempt): boolean {
  return failed.attempt.intendedAt >= bump.at || (sizeOf(failed, bump.what) ?? 0) >= bump.to;
}

/** What it was allowed, where that is known: seconds. */
function sizeOf({ timeSeconds }: FailedAttempt, what: What): number | undefined {
  if (what === "time") return timeSeconds ?? undefined;
  // Submissions do not keep it, and SLURM tells the sum of several nodes.
  return undefined;
}

/** Somebody has raised it since, in the YAML: then that is what it should have first, once. */
function raisedSince(
  input: TriageInput,
  failed: FailedAttempt,
  what: What,
): Judgement | undefined {
  const had = sizeOf(failed, what);
  const { from: now } = target(input, failed, what);
  if (had === undefined || (now !== null && now <= had)) return undefined;
  if (retriesOf(input.verdicts, failed.trial, [failed.failure]) > 0) return undefined;
  const change = `${sizeText(what, had)} to ${sizeText(what, now)}`;
  return { decision: "retry", why: `Its ${what} was raised from ${change} since it was submitted` };
}

/** Bumps under which a failure of their class was seen; a verdict that only reports names the bump that failed it. */
function spentBumps(input: TriageInput, failures: readonly FailedAttempt[]): Set<string> {
  const spent = new Set<string>();
  for (const { decision, bump } of Object.values(input.verdicts)) {
    if (decision === "notify" && bump !== undefined) spent.add(bump);
  }
  for (const failed of failures) {
    const what = whatOf(failed);
    if (what === undefined) continue;
    const bump = coveringBump(input.bumps, failed, what, input);
    if (bump?.failure === failed.failure && ranUnder(bump, failed)) spent.add(bump.id);
  }
  return spent;
}

function shared(bump: Made, { trial }: FailedAttempt): Judgement {
  const name = bump.what === "memory" ? "memory" : "time";
  const whose = bump.trials === "sweep" ? `slurm.${name === "memory" ? "mem" : "time"}` : name;
  const change = `${sizeText(bump.what, bump.from)} to ${sizeText(bump.what, bump.to)}`;
  const others = bump.trials !== "sweep" && bump.trials.length > 1 ? " of such trials" : "";
  const why = bump.at === Infinity
    ? `It needs more ${name}: ${whose}${others} goes from ${change}, and it is submitted again`
    : `It ran before ${whose}${others} went from ${change}; trial ${trial} is submitted again under that`;
  return { decision: "bump", bump: bump.id, why };
}

/** `last` is what it had, `spent` the class's one bump. */
function wasNotEnough(last: Made, spent: Made): Judgement {
  return {
    decision: "notify",
    bump: spent.id,
    why: `${
      sizeText(last.what, last.to)
    } was not enough either; one bump per kind of failure is made, the rest is for a person`,
  };
}

function usedUp(bump: Made): Judgement {
  const size = sizeText(bump.what, bump.to);
  return {
    decision: "notify",
    why:
      `The one bump for this kind of failure, to ${size}, was made already and is for other trials`,
  };
}
