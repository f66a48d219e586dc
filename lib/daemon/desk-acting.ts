import type { ActOptions, Desk, Outcome, Request } from "../actions/desk.ts";
import { refuse } from "../actions/outcome.ts";
import { resourcesOf } from "../actions/plan-jobs.ts";
import type { Clock } from "../base/clock.ts";
import { compactRanges, count } from "../base/text.ts";
import { bumped, ceilingOf, raisedTo, sizeText } from "../monitor/bumped.ts";
import { failedFor } from "../monitor/failed-for.ts";
import { isModel, ruleOn, wordsWouldEnd } from "../monitor/guard.ts";
import type { GuardInput } from "../monitor/guard.ts";
import type { Bump, Confirmation, MonitorHappening } from "../sweep/monitor-event.ts";
import { LIVE } from "../sweep/status.ts";
import { chooseScheduler } from "../schedulers/choose.ts";
import { confirmationText } from "../words/question-text.ts";
import { spanText } from "../words/duration-text.ts";
import type { ChangeOptions, Outside } from "./outside.ts";
import { newNonce } from "./nonce.ts";
import { preflight } from "./preflight.ts";

export interface DeskActingParts {
  outside: Outside;
  clock: Clock;
  /** What the plan and the YAML allow a model, as of now. */
  guard(): Omit<GuardInput, "state">;
  /** The scheduler of `herd monitor --local`. */
  scheduler: "slurm" | "local" | undefined;
  /** The running monitor of the sweep; undefined where none runs. */
  monitor: {
    end(why: string): void;
    tick(): void;
    wish(at: number): void;
    goOn(): void;
  } | undefined;
}

/** So long a person has to answer. */
const PATIENCE_MS = 24 * 3_600_000;
/** More open questions than people read would hide the one that matters. */
const MOST_OPEN = 5;

/** The one door by which surfaces, people and models have something done to a sweep. */
export function createDeskActing(
  parts: DeskActingParts,
): Desk["act"] {
  const { outside, clock } = parts;
  /** Confirmed, and being done by this process. */
  const settling = new Set<string>();

  async function act(
    request: Request,
    by: string,
    { words = false }: ActOptions = {},
  ): Promise<Outcome> {
    const isChat = words && by.startsWith("discord:");
    const ends = isChat ? wordsWouldEnd(request, outside.state()) : undefined;
    if (ends !== undefined) return await askFor(request, by, ends);
    const ruling = ruleOn(request, by, { ...parts.guard(), state: outside.state() });
    if (ruling === "allowed") return await carryOut(request, by);
    if ("refused" in ruling) return refuse(ruling.refused);
    return await askFor(request, by, ruling.confirm);
  }

  async function carryOut(request: Request, by: string): Promise<Outcome> {
    switch (request.verb) {
      case "run":
        return await run(request, by);
      case "stop":
        return await stop(request, by);
      case "pause":
      case "prune":
        return await mark(request, by);
      case "resume":
        return await resume(request, by);
      case "halve":
        return await halve(request, by);
      case "bump":
        return await bump(request, by);
      case "halt":
        return await note(by, [{ type: "halted", why: request.reason }], {
          text: "Halted: nothing is submitted by itself until /continue. Live trials go on.",
        });
      case "continue":
        return await goOn(by);
      case "confirm":
        return await confirm(request, by);
      case "schedule":
        return await schedule(request.seconds, by);
      case "tick":
        if (parts.monitor === undefined) return noMonitor("take a tick");
        parts.monitor.tick();
        return did("A tick follows.");
      case "acknowledge-prompt":
        return await note(by, [{ type: "prompt-acknowledged", sha256: request.sha256 }], {
          text: "PROMPT.md is marked as read.",
        });
      case "leave":
        if (parts.monitor === undefined) return noMonitor("end it");
        parts.monitor.end(request.reason ?? `${by} ended it`);
        return did("The monitor of this sweep ends; its trials go on.");
    }
  }

  async function change<T>(
    purpose: string,
    act: Parameters<Outside["change"]>[1],
    by: string,
    more: ChangeOptions = {},
  ): Promise<T> {
    return await outside.change(purpose, act, { ...more, by }) as T;
  }

  async function note(
    by: string,
    whats: readonly MonitorHappening[],
    { text }: { text: string },
  ): Promise<Outcome> {
    await change("note", (perform) => perform({ verb: "record", whats }), by);
    return did(text);
  }

  function scheduler(): "slurm" | "local" {
    return chooseScheduler(
      { flag: parts.scheduler, config: outside.sweep().config.scheduler },
      outside.environment,
    );
  }

  async function run(
    { indices, force = false, reason }: Extract<Request, { verb: "run" }>,
    by: string,
  ): Promise<Outcome> {
    const sweep = outside.sweep();
    const name = scheduler();
    const warnings = preflight(outside, name);
    const request = {
      indices,
      pins: [],
      force: force && indices !== undefined,
      skip: !force && indices !== undefined,
      changed: undefined,
    };
    const outcome = await outside.change(
      "run",
      (perform) =>
        perform({
          verb: "run",
          request,
          ...sweep,
          scheduler: name,
          maxConcurrent: undefined,
          ...(reason === undefined ? {} : { reason }),
        }),
      { by },
    );
    if (!outcome.done) return outcome;
    const { submitted, left, undecided, trouble } = outcome;
    const sent = submitted.flatMap((job) => job.indices).sort((a, b) => a - b);
    const data = {
      submitted: sent,
      left,
      undecided,
      jobs: submitted.map(({ jobId, indices }) => ({ job_id: jobId, indices })),
    };
    if (trouble !== undefined && sent.length === 0) {
      return refuse(trouble.message, { facts: { ...data, kind: trouble.kind } });
    }
    const jobs = submitted.map(({ jobId }) => jobId).join(", ");
    const text = sent.length === 0
      ? "Nothing was submitted: every trial asked for is live, done or set aside."
      : `Submitted ${named(sent)} as job ${jobs}.${
        left.length === 0 ? "" : ` No room yet for ${named(left)}.`
      }`;
    const all = [
      ...warnings,
      ...outcome.warnings,
      ...trouble === undefined ? [] : [trouble.message],
    ];
    return { done: true, text, data, warnings: all };
  }

  async function stop(
    { indices, reason }: Extract<Request, { verb: "stop" }>,
    by: string,
  ): Promise<Outcome> {
    const graceSeconds = outside.graceSeconds();
    const outcome = await outside.change("stop", (perform) =>
      perform({
        verb: "stop",
        indices,
        graceSeconds,
        ...(reason === undefined ? {} : { reason }),
      }), { by, unwritten: true });
    if (!outcome.done) return outcome;
    const all = outcome.cancelled.map(({ index }) => index);
    const live = outcome.cancelled.filter(({ now }) => LIVE.has(now)).map(({ index }) => index);
    const text = all.length === 0
      ? "Nothing to stop: no trial is live."
      : live.length === 0
      ? `Stopped ${named(all)}.`
      : `Told ${named(all)} to stop; ${named(live)} ${
        live.length === 1 ? "is" : "are"
      } still ending.`;
    return { done: true, text, data: { stopped: all, ending: live }, warnings: outcome.warnings };
  }

  async function mark(
    { verb, indices, reason }: Extract<Request, { verb: "pause" | "prune" }>,
    by: string,
  ): Promise<Outcome> {
    const graceSeconds = outside.graceSeconds();
    const outcome = await outside.change(
      verb,
      (perform) =>
        perform({ verb, indices, graceSeconds, ...(reason === undefined ? {} : { reason }) }),
      { by },
    );
    if (!outcome.done) return outcome;
    const all = outcome.marked.map(({ index }) => index);
    const live = outcome.marked.filter((one) => one.live).map(({ index }) => index);
    const word = verb === "pause" ? "Paused" : "Pruned";
    const ending = live.length === 0
      ? ""
      : ` ${named(live)} ${live.length === 1 ? "was" : "were"} told and ${
        live.length === 1 ? "has" : "have"
      } ${spanText(graceSeconds * 1000)} to end.`;
    const text = `${word} ${named(all)}.${ending}`;
    return { done: true, text, data: { [verb]: all, ending: live }, warnings: outcome.warnings };
  }

  async function resume(
    { indices }: Extract<Request, { verb: "resume" }>,
    by: string,
  ): Promise<Outcome> {
    const { config } = outside.sweep();
    const name = scheduler();
    const outcome = await outside.change(
      "resume",
      (perform) =>
        perform({ verb: "resume", indices, config, scheduler: name, maxConcurrent: undefined }),
      { by },
    );
    if (!outcome.done) return outcome;
    const sent = outcome.submitted.flatMap((job) => job.indices).sort((a, b) => a - b);
    if (outcome.trouble !== undefined && sent.length === 0) {
      return refuse(outcome.trouble.error.message);
    }
    return {
      done: true,
      text: `Resumed ${named(sent)}.`,
      data: { resumed: sent, left: outcome.left },
      warnings: [],
    };
  }

  async function halve(
    { dryRun = false }: Extract<Request, { verb: "halve" }>,
    by: string,
  ): Promise<Outcome> {
    const { config } = outside.sweep();
    if (config.halving === undefined) {
      return refuse("Cannot halve: successive_halving is not set in the YAML");
    }
    const settings = config.halving;
    if (dryRun) {
      const { previewHalving } = await import("./halving-preview.ts");
      const { plan, warnings } = await previewHalving(outside, settings);
      return halved(plan.actions, "would be ", warnings);
    }
    const name = scheduler();
    const outcome = await outside.change(
      "halve",
      (perform) =>
        perform({ verb: "halve", settings, config, scheduler: name, maxConcurrent: undefined }),
      { by },
    );
    if (!outcome.done) return outcome;
    return halved(outcome.plan.actions, "", outcome.warnings);
  }

  async function bump(
    request: Extract<Request, { verb: "bump" }>,
    by: string,
  ): Promise<Outcome> {
    const { what, trials } = request;
    const begun = outside.state().monitor.bumps.find(({ id }) => id === request.id);
    const made = begun ?? await newBump(request);
    if ("cannot" in made) return refuse(made.cannot);
    const outcome = await outside.change(
      "bump",
      (perform) => perform({ verb: "bump", bump: made }),
      { by },
    );
    outside.reread();
    if (!outcome.done) return outcome;
    const { to: wanted } = request;
    const text = `Raised ${what === "memory" ? "slurm.mem" : "slurm.time"} from ${
      sizeText(what, made.from)
    } to ${sizeText(what, made.to)}${
      wanted === undefined || wanted <= made.to
        ? ""
        : `, not to ${sizeText(what, wanted)}: more is not allowed here`
    }.`;
    const data = { what, from: made.from, to: made.to, trials: made.trials };
    if (request.resubmit !== true) return { done: true, text, data, warnings: [] };
    const failed = failedFor(outside.state(), what, trials);
    if (failed.length === 0) {
      return { done: true, text: `${text} No trial failed for want of it.`, data, warnings: [] };
    }
    const again = await run({ verb: "run", indices: failed }, by);
    return again.done
      ? { ...again, text: `${text} ${again.text}`, data: { ...data, ...again.data } }
      : { done: true, text, data, warnings: [again.reason] };
  }

  async function newBump(
    { id = newNonce(), what, trials, percent, to }: Extract<Request, { verb: "bump" }>,
  ): Promise<Bump | { cannot: string }> {
    const { config } = outside.sweep();
    const limits = await outside.scheduler(scheduler()).limits(config.slurm);
    const ceiling = what === "memory"
      ? ceilingOf(limits.maxMemoryMiB, config.remediation.maxMemoryMiB)
      : ceilingOf(limits.maxTimeSeconds, config.remediation.maxTimeSeconds);
    const state = outside.state();
    const [first] = trials ?? [];
    const trial = first === undefined ? undefined : state.trials.get(first);
    const now = trial === undefined
      ? config.slurm
      : resourcesOf(config, trial, state.monitor.bumps);
    const from = what === "memory" ? now.memoryMiB : now.timeSeconds;
    const size = to === undefined
      ? bumped(from, percent ?? config.remediation.bumpPercent, { what, ceiling })
      : raisedTo(from, to, { what, ceiling });
    if ("cannot" in size) return size;
    return { id, what, failure: undefined, from: from!, to: size.to, trials: trials ?? "sweep" };
  }

  async function goOn(by: string): Promise<Outcome> {
    const { halted } = outside.state().monitor;
    // A model may not take the rollout past trials that failed.
    if (!isModel(by)) parts.monitor?.goOn();
    parts.monitor?.tick();
    if (halted === undefined) {
      return did(`It was not halted${isModel(by) ? "" : "; whatever waited goes on"}.`);
    }
    return await note(by, [{ type: "unhalted" }], { text: "The sweep goes on." });
  }

  async function schedule(seconds: number, by: string): Promise<Outcome> {
    if (parts.monitor === undefined) return noMonitor("schedule a tick");
    const within = Math.min(3600, Math.max(60, Math.round(seconds)));
    parts.monitor.wish(clock.now() + within * 1000);
    return await note(by, [{ type: "cadence-chosen", seconds: within }], {
      text: `The next tick is due in ${spanText(within * 1000)}.`,
    });
  }

  /** A person's yes does what was asked for, in that person's name. */
  async function confirm(
    { id, yes }: Extract<Request, { verb: "confirm" }>,
    by: string,
  ): Promise<Outcome> {
    const agreed = outside.state().monitor.agreed.find((one) => one.id === id);
    // The yes of a daemon that was killed before it could act on it.
    if (agreed !== undefined && yes && !settling.has(id)) return await settle(agreed);
    const open = outside.state().monitor.confirmations.find((one) => one.id === id);
    if (open === undefined || open.expiresAt <= clock.now()) {
      const ids = outside.state().monitor.confirmations.map((one) => one.id);
      const hint = ids.length === 0
        ? "Nothing waits for an answer"
        : `Waiting are ${ids.join(", ")}`;
      return refuse(`Cannot answer "${id}": nothing of that name waits`, { hint });
    }
    const isFirst = await answerFirst(id, yes, by);
    if (!isFirst) return refuse(`Cannot answer "${id}": somebody else just did`);
    if (!yes) return did(`It is not done: ${open.what}.`);
    return await settle({ ...open, at: clock.now(), by });
  }

  /** Two people may answer at once, and the second waited for the lease. */
  async function answerFirst(id: string, yes: boolean, by: string): Promise<boolean> {
    if (yes) settling.add(id);
    try {
      return await change<boolean>("confirm", async (perform) => {
        const isOpen = outside.state().monitor.confirmations.some((one) => one.id === id);
        const whats = [{ type: "confirmation-answered" as const, id, yes }];
        if (isOpen) await perform({ verb: "record", whats });
        return isOpen;
      }, by);
    } catch (error) {
      settling.delete(id);
      throw error;
    }
  }

  async function settle(
    { id, request, at, by }: Pick<Confirmation, "id" | "request"> & { at: number; by: string },
  ): Promise<Outcome> {
    settling.add(id);
    try {
      const asked = request as Request;
      const outcome = wasSubmitted(asked, at)
        ? did("It was submitted already.")
        : await carryOut(asked.verb === "bump" ? { ...asked, id: `confirm/${id}` } : asked, by);
      await note(by, [{ type: "confirmation-settled", id }], { text: "" });
      return outcome;
    } finally {
      settling.delete(id);
    }
  }

  /** Whoever died after `sbatch` and before the last note would run what was forced twice. */
  function wasSubmitted(request: Request, since: number): boolean {
    if (request.verb !== "run" || request.indices === undefined) return false;
    const state = outside.state();
    return request.indices.some((index) =>
      (state.attemptsOf.get(index) ?? []).some((key) =>
        state.attempts.get(key)!.intendedAt >= since
      )
    );
  }

  async function askFor(request: Request, by: string, what: string): Promise<Outcome> {
    const { confirmations } = outside.state().monitor;
    const act = actOf(request);
    const before = confirmations.find((one) => actOf(one.request as Request) === act);
    if (before === undefined && confirmations.length >= MOST_OPEN) {
      return refuse(
        `A person must confirm this, and ${count(confirmations.length, "question")} wait already`,
        { facts: { confirmation: "full" } },
      );
    }
    const confirmation: Confirmation = before ?? {
      id: shortId(confirmations),
      what,
      why: "reason" in request && typeof request.reason === "string" ? request.reason : "",
      request,
      by,
      expiresAt: clock.now() + PATIENCE_MS,
    };
    if (before === undefined) {
      const said = {
        key: `confirm/${confirmation.id}`,
        kind: "agent" as const,
        text: confirmationText(confirmation, clock.now()),
        confirmation: confirmation.id,
      };
      const whats: MonitorHappening[] = [
        { type: "confirmation-asked", confirmation },
        { type: "said", said },
      ];
      await change("ask", (perform) => perform({ verb: "record", whats }), by);
    }
    return refuse(
      isModel(by)
        ? `Not done: to ${what} needs a person's yes, which was asked for as ${confirmation.id}`
        : `Not done yet: say "yes ${confirmation.id}" to ${what}`,
      { facts: { confirmation: confirmation.id } },
    );
  }

  return act;
}

/** What would be done, whatever reason is given for it: other words are no other question. */
function actOf({ ...request }: Request): string {
  if ("reason" in request) delete (request as { reason?: string }).reason;
  return JSON.stringify(request, Object.keys(request).sort());
}

function did(text: string): Outcome {
  return { done: true, text, data: {}, warnings: [] };
}

function noMonitor(what: string): Outcome {
  return refuse(`Cannot ${what}: no monitor runs this sweep`, {
    hint: "`herd monitor` starts one",
  });
}

function named(indices: readonly number[]): string {
  return `${indices.length === 1 ? "trial" : "trials"} ${compactRanges(indices)}`;
}

/** Letter and number: easy to type on a phone, and never a trial's index. */
function shortId(open: readonly Confirmation[]): string {
  for (let n = 1;; n++) {
    const id = `c${n}-${newNonce().slice(0, 3)}`;
    if (!open.some((one) => one.id.startsWith(`c${n}-`))) return id;
  }
}

function halved(
  actions: readonly { trial: number; action: string }[],
  would: string,
  warnings: readonly string[],
): Outcome {
  const parts: string[] = [];
  const data: Record<string, number[]> = {};
  for (const [action, word] of [["prune", "pruned"], ["pause", "paused"], ["resume", "resumed"]]) {
    const trials = actions.filter((one) => one.action === action).map(({ trial }) => trial);
    data[word!] = trials;
    if (trials.length > 0) parts.push(`${named(trials)} ${would}${word}`);
  }
  const changed = parts.length > 0;
  const text = changed
    ? `${parts.join(", ")}.`
    : `No trial ${would === "" ? "was" : "would be"} halved.`;
  return { done: true, text, data: { ...data, changed }, warnings };
}
