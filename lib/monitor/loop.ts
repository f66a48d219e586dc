import { RefusedError, SchedulerError } from "../base/errors.ts";
import type { Config } from "../sweep/config.ts";
import { LIVE } from "../sweep/status.ts";
import { totalsOf } from "../sweep/view.ts";
import type { TrialView } from "../sweep/view.ts";
import type { Said } from "../sweep/monitor-event.ts";
import { awayText } from "../words/away-text.ts";
import { phaseName, restartedText, startText } from "../words/phase-text.ts";
import { stoppedText } from "../words/stopped-text.ts";
import { heartbeatText, standingText } from "../words/tick-text.ts";
import { transitionPosts } from "../words/transition-posts.ts";
import { interview } from "./asking.ts";
import { type Away, createAbsence } from "./absence.ts";
import { classifyBoot } from "./boot.ts";
import { isUrgent } from "./consult.ts";
import { nextLookDelay } from "./cadence.ts";
import type { Ground } from "./ground.ts";
import { hear } from "./hearing.ts";
import type { InForce } from "./in-force.ts";
import { plateau } from "./plateau.ts";
import { recall } from "./recall.ts";
import { repair } from "./repair.ts";
import { ask, complain, configOf, createSession, keyed, ruling, viewsOf } from "./session.ts";
import { advance, lookBack } from "./stages.ts";
import { takeTick } from "./tick.ts";
import { watchOver } from "./vigil.ts";

export interface MonitorOptions {
  /** One step and one tick, then the end; nothing is said of it. */
  once?: boolean;
  /** Ends after so many ticks. */
  maxTicks?: number;
  /** Versions of the daemon that ran it until now and of this one, which it has become. */
  restarted?: { from: string; to: string };
}

export interface SweepMonitor {
  /** Runs until somebody ends it; resolves to why. Throws only what keeps it from beginning. */
  run(signal: AbortSignal): Promise<string>;
  /** Ends it after the step that it is in; silent where the same goes on in a moment. */
  end(why: string, how?: { isSilent: boolean }): void;
  /** A tick is wanted now. */
  tick(): void;
  /** When somebody wants the next tick, milliseconds since the epoch. */
  wish(at: number): void;
  /** A person said to go on whatever is stuck. */
  goOn(): void;
  /** The cluster can be asked and given jobs again, after a while when it could not be reached. */
  lookNow(): void;
}

/** Between two looks that only read what jobs wrote: so quick is news told. */
const LEAST_MS = 400;
/** A failure is looked into at once, but no more often than this. */
const LOOK_LEAST_MS = 2_000;
/** After a look that failed. */
const LOOK_AGAIN_MS = 15_000;
/** Summaries in a row before they are held back, and how long until one more is free. */
const BURST = 6;
const REFILL_MS = 30_000;
/** When trials end one after the other, one summary tells of those of so long. */
const GATHER_MS = 20_000;
/** So long a finished sweep stays for a person whose word it waits for. */
const PERSON_MS = 24 * 60 * 60_000;
/** So long somebody may ask for something after a sweep that had ended. */
const AFTERWARDS_MS = 10 * 60_000;
/** Live trials' numbers are read this often at the most. */
const VIGIL_MS = 15_000;

/** After ticks in a row that failed. */
function heldMs(failed: number): number {
  return Math.min(10 * 60_000, 15_000 * 2 ** Math.min(failed, 10));
}

/** Keeps one sweep going: looks, decides by rules, asks the agent where rules do not know. */
export function createSweepMonitor(ground: Ground, options: MonitorOptions = {}): SweepMonitor {
  const session = createSession(ground);
  const { clock } = ground;
  let ending: string | undefined;
  let isSilent = false;
  let lookAt = 0;
  let lookedAt = -Infinity;
  let vigilAt = 0;
  let halvedAt = 0;
  let heartbeatAt = clock.now();
  let free = BURST;
  let refilledAt = clock.now();
  let tickWanted = false;
  let failedTicks = 0;
  let tickHeldUntil = -Infinity;
  let tickEnds: Promise<void> | undefined;
  let turn = new AbortController();
  let ticked = 0;
  let steppedAt = -Infinity;
  let isSpeechless = false;
  /** Steps in a row of whose trouble nothing could be written down. */
  let mute = 0;
  let standing = "";
  let away: Away | undefined;
  const absence = createAbsence();
  const startedAt = clock.now();

  async function run(signal: AbortSignal): Promise<string> {
    await begin();
    while (ending === undefined && !signal.aborted) {
      steppedAt = clock.now();
      isSpeechless = false;
      await step(options.once === true);
      mute = isSpeechless ? mute + 1 : 0;
      if (options.once) break;
      startTick(signal);
      endIfOver();
      if (ending !== undefined || signal.aborted) break;
      await waitForNews(signal);
    }
    if (options.once) {
      await tickNow(signal);
      return "one tick was asked for";
    }
    turn.abort();
    await tickEnds;
    const why = ending ?? "it was told to stop";
    await finish(why);
    return why;
  }

  /** The end of a tick is news as well: it may have been the last. */
  async function waitForNews(signal: AbortSignal): Promise<void> {
    const early = new AbortController();
    void tickEnds?.then(() => early.abort());
    await ground.news(pause(), AbortSignal.any([signal, early.signal]));
    // A thousand trials that end together are a few steps, not a thousand.
    const least = mute === 0 ? LEAST_MS : Math.min(LOOK_AGAIN_MS, 1_000 * 2 ** Math.min(mute, 10));
    const rest = steppedAt + least - clock.now();
    if (rest > 0 && ending === undefined) await clock.sleep(rest, signal).catch(() => {});
  }

  async function begin(): Promise<void> {
    const config = await configOf(session);
    await look(false);
    const views = viewsOf(session);
    const boot = classifyBoot(ground.state(), views.length);
    const { thinking } = ground;
    const mode = "none" in thinking.agent ? "rules" : "agent";
    const { version, host, pid } = ground;
    const before = { ...ground.state().monitor };
    const wasCutOff = before.running !== undefined;
    const text = options.restarted !== undefined ? restartedText(options.restarted) : startText({
      sweep: config.name,
      trials: views.length,
      boot,
      mode,
      credentials: "none" in thinking.agent ? thinking.agent.none : thinking.credentials,
      phase: before.phase,
      stage: before.stage,
      will: before.halted === undefined ? [] : [`It is halted: ${before.halted.why}`],
      canTalk: ground.canAsk,
    });
    // A sweep that is half way goes on as it began; new trials of one that was over begin anew.
    const kept = before.phase === undefined || before.phase === "post-mortem" ||
        before.phase === "done"
      ? boot
      : before.boot ?? boot;
    await ground.record([
      { type: "monitor-started", boot: kept, mode, version, host, pid },
      ...options.once ? [] : [{
        type: "said" as const,
        said: keyed(ground, {
          kind: "agent",
          text,
          // What was before nobody needs to be told of as news.
          ...(before.phase !== undefined || Object.keys(before.told).length > 0 ? {} : {
            trials: views.filter(({ status }) => status !== "ready").map(({ trial, status }) =>
              [trial.index, status] as const
            ),
          }),
        }),
      }],
    ]);
    // One that was cut off at its end only has to end; of one that came to it there may be more to ask.
    if (boot === "post-mortem" && before.phase === "done" && !wasCutOff) {
      await lookBack(session, ruling(session, config), views);
    }
    recall(session);
    await settleAgreed();
    session.triggers.add("boot");
  }

  /** A person's yes outlives the daemon that heard it. */
  async function settleAgreed(): Promise<void> {
    for (const { id, by, what } of ground.state().monitor.agreed) {
      const outcome = await ground.act({ verb: "confirm", id, yes: true }, by);
      ground.log("info", `Did what was agreed to before the restart: ${what}`, {
        outcome: outcome.done ? outcome.text : outcome.reason,
      });
    }
  }

  async function step(full: boolean): Promise<void> {
    let config: Config;
    try {
      config = await configOf(session);
      const due = full || clock.now() >= lookAt;
      await look(!due);
    } catch (error) {
      return await failed("look", error);
    }
    const rules = await part("plan", () => Promise.resolve(ruling(session, config)));
    if (rules === undefined) return;
    const views = () => viewsOf(session);
    const begun = clock.now();
    if (away === undefined) await part("posts", () => tellTransitions(views(), rules));
    await part("confirmations", expire);
    await part("messages", () => hear(session, config, views()));
    await part("interview", () => interview(session, config));
    await part("triage", () => repair(session, config, rules, views()));
    await part("vigil", () => vigil(config, rules, views()));
    await part("halving", () => halve(config));
    if (ending === undefined) {
      await part("rollout", () => advance(session, config, rules, views()));
      await part("posts", () => tellTransitions(views(), rules, begun));
    }
    await part("plateau", () => Promise.resolve(notePlateau(rules, views())));
    tellStanding(views());
    heartbeat(config, views());
  }

  /** One part that fails must not keep the others from their work. */
  async function part<T>(name: string, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      await failed(name, error);
      return undefined;
    }
  }

  async function failed(name: string, error: unknown): Promise<void> {
    ground.log("error", `The monitor's ${name} failed`, { error: `${(error as Error).stack}` });
    try {
      await trouble(error);
    } catch {
      // A full disk: what could not be said is in the log, and a later step tries again.
      isSpeechless = true;
    }
  }

  async function trouble(error: unknown): Promise<void> {
    if (error instanceof SchedulerError) session.unanswered++;
    const isLost = error instanceof RefusedError && error.facts["lost"] === true;
    if (isLost) return;
    await complain(session, (error as Error).message);
  }

  async function look(records: boolean): Promise<void> {
    const graceSeconds = session.config?.pruneGraceSeconds ?? 600;
    const seq = ground.state().seq;
    const began = clock.now();
    const stoppedSince = ground.stoppedSince?.();
    if (stoppedSince !== undefined) absence.woke(stoppedSince, began);
    // What it finds may be impossible to write down: no reason to ask the cluster without end.
    if (!records) lookAt = clock.now() + LOOK_AGAIN_MS;
    const found = await ground.perform({ verb: "look", graceSeconds, records });
    if (!found.done) return;
    if (records && (stoppedSince !== undefined || isFresh())) return await look(false);
    if (!records) {
      lookedAt = clock.now();
      session.observations = found.observations;
      const silent = found.observations.some(({ look }) =>
        !look.queue.answered && look.queue.reason === "unreachable"
      );
      session.unanswered = silent ? session.unanswered + 1 : 0;
      // A look that took long saw nothing while it did.
      absence.unanswered(began);
      const cutOff = ground.stoppedSince?.();
      if (cutOff !== undefined) {
        // What it found may be from before the sleep.
        absence.woke(cutOff, lookedAt);
        lookAt = lookedAt;
        return;
      }
      if (!silent) away = absence.answered(lookedAt) ?? away;
      for (const warning of found.warnings) await complain(session, warning);
    }
    if (ground.state().seq !== seq) session.lastChangeAt = clock.now();
    lookAt = lookedAt + lookDelay();
  }

  /** A failure that only the job has told of: the scheduler may know why. */
  function isFresh(): boolean {
    if (clock.now() - lookedAt < LOOK_LEAST_MS) return false;
    return [...ground.state().attempts.values()].some(({ phase, ending, usageDue, endedAt }) =>
      phase === "ended" && usageDue && ending?.source === "record" &&
      ending.cause !== "completed" && (endedAt ?? 0) > lookedAt - 10_000
    );
  }

  function lookDelay(): number {
    const live = viewsOf(session).filter(({ status }) => LIVE.has(status));
    return nextLookDelay({
      now: clock.now(),
      live: live.length,
      open: live.filter(({ status }) => status === "submitted" || status === "unknown").length,
      lastChangeAt: session.lastChangeAt,
      recordsTell: true,
      unanswered: session.unanswered,
      random: ground.random(),
    });
  }

  /** After a time in which nobody watched all of it is one post, with what was done since `begun`. */
  async function tellTransitions(
    views: readonly TrialView[],
    rules: InForce,
    begun = clock.now(),
  ): Promise<void> {
    if (away === undefined && absence.isWaking(clock.now())) return;
    const { told, verdicts } = ground.state().monitor;
    const { objective } = rules;
    const posts = transitionPosts(told, views, {
      ...(objective === "none" ? {} : {
        metric: {
          name: objective.metric,
          direction: objective.direction,
          valueOf: (trial: number) => ground.valueOf(trial, objective),
        },
      }),
    });
    const said = away === undefined ? posts : [onePost(away, posts, begun)];
    away = undefined;
    if (said.length === 0) return;
    await ground.record(said.map((one) => ({ type: "said", said: one })));
    session.lastActivityAt = clock.now();
    for (const { kind, trials } of posts) {
      if (kind === "completed") {
        session.triggers.add("completion");
        session.completed.push(...(trials ?? []).map(([trial]) => trial));
      }
      if (kind === "warning") session.triggers.add("failure");
    }
    ground.log("info", "Told transitions", {
      posts: posts.length,
      verdicts: Object.keys(verdicts).length,
    });
  }

  function onePost({ since, ms, wasAsleep }: Away, posts: readonly Said[], begun: number): Said {
    const newer = [...ground.state().attempts.values()].filter(({ intendedAt }) =>
      intendedAt >= begun
    );
    const trialsOf = (isAgain: boolean) =>
      newer.filter(({ number }) => number > 1 === isAgain).map(({ trial }) => trial);
    const host = session.config?.slurm.host;
    const text = awayText({
      ms,
      why: wasAsleep ? { asleep: true } : { silent: host === undefined ? "SLURM" : `"${host}"` },
      changes: posts.map((post) => post.text),
      submitted: trialsOf(false),
      again: trialsOf(true),
    });
    const trials = posts.flatMap((post) => post.trials ?? []);
    return { key: `away/${since}`, kind: "agent", text, trials };
  }

  async function expire(): Promise<void> {
    const { confirmations } = ground.state().monitor;
    const late = confirmations.filter(({ expiresAt }) => expiresAt <= clock.now());
    if (late.length === 0) return;
    await ground.record(late.flatMap(({ id, what }) => [
      { type: "confirmation-answered" as const, id, yes: false },
      {
        type: "said" as const,
        said: keyed(ground, {
          key: `expired/${id}`,
          kind: "agent",
          text: `nobody answered whether to ${what}, so it is not done.`,
        }),
      },
    ]));
  }

  async function vigil(config: Config, rules: InForce, views: readonly TrialView[]): Promise<void> {
    if (clock.now() < vigilAt) return;
    const started = performance.now();
    await watchOver(session, config, rules, views);
    // Many streams on a slow disk: a hundredth of the time at the most goes into reading them.
    vigilAt = clock.now() + Math.max(VIGIL_MS, (performance.now() - started) * 100);
  }

  async function halve(config: Config): Promise<void> {
    if (config.halving === undefined || ground.state().monitor.halted !== undefined) return;
    if (clock.now() < halvedAt) return;
    const started = performance.now();
    const due = ground.halvingDue();
    halvedAt = clock.now() + Math.max(1_000, (performance.now() - started) * 50);
    if (!due) return;
    // What it decides is told as it takes effect.
    await ask(session, { verb: "halve" });
  }

  function notePlateau({ customRules, objective }: InForce, views: readonly TrialView[]): void {
    if (customRules === "" || objective === "none" || session.concerns.has("plateau")) return;
    const finished = views.flatMap(({ trial, status, attempt }) =>
      status === "completed" && attempt?.endedAt !== undefined
        ? [{
          trial: trial.index,
          endedAt: attempt.endedAt,
          value: ground.valueOf(trial.index, objective) ?? null,
        }]
        : []
    );
    if (!plateau(customRules, finished, objective.direction)) return;
    // Once for each best value: more trials that are no better are the same plateau.
    const best = finished.flatMap(({ value }) => value ?? []).sort((a, b) => a - b);
    const key = `plateau/${objective.direction === "max" ? best.at(-1) : best[0]}`;
    if (session.complaints.has(key)) return;
    session.complaints.set(key, clock.now());
    session.concerns.set("plateau", `No better ${objective.metric} in the last completed trials`);
    session.triggers.add("completion");
  }

  function tellStanding(views: readonly TrialView[]): void {
    const { monitor } = ground.state();
    const text = standingText({
      totals: totalsOf(views),
      phase: phaseName(monitor.phase, monitor.stage),
      halted: monitor.halted !== undefined,
    });
    if (text === standing) return;
    standing = text;
    ground.notice({ key: "standing", kind: "heartbeat", text });
  }

  function heartbeat(config: Config, views: readonly TrialView[]): void {
    const every = config.monitor.heartbeatSeconds * 1000;
    if (every <= 0 || clock.now() - heartbeatAt < every) return;
    heartbeatAt = clock.now();
    const { monitor } = ground.state();
    ground.notice({
      key: "heartbeat",
      kind: "heartbeat",
      text: heartbeatText({
        totals: totalsOf(views),
        ticks: monitor.ticks,
        nextInMs: monitor.nextTickAt === undefined
          ? undefined
          : Math.max(0, monitor.nextTickAt - clock.now()),
        phase: phaseName(monitor.phase, monitor.stage),
        halted: monitor.halted !== undefined,
      }),
    });
  }

  function startTick(signal: AbortSignal): void {
    if (tickEnds !== undefined || !isTickDue()) return;
    turn = new AbortController();
    const both = AbortSignal.any([signal, turn.signal]);
    tickEnds = tickNow(both).finally(() => {
      tickEnds = undefined;
    });
  }

  /** Nothing is left to do, and nobody is there to ask for more. */
  function endIfOver(): void {
    const { monitor } = ground.state();
    if (tickEnds !== undefined || session.triggers.size > 0 || monitor.pending.length > 0) return;
    if (monitor.phase === "done") {
      const since = clock.now() - Math.max(monitor.phaseSince, startedAt);
      // What waits for a person would be lost with the end: their yes, or their /continue.
      const waits = monitor.confirmations.length > 0 || monitor.halted !== undefined;
      if (waits && ground.canAsk && since < PERSON_MS) return;
      if (since < (ground.lingerMs?.() ?? 0)) return;
      ending ??= "every trial has come to its end";
    } else if (monitor.phase === "post-mortem") {
      const waited = clock.now() - Math.max(monitor.phaseSince, startedAt);
      if (!ground.canAsk || waited > AFTERWARDS_MS) ending ??= "every trial had ended before";
    }
  }

  function isTickDue(): boolean {
    const now = clock.now();
    const { monitor } = ground.state();
    const refills = Math.floor((now - refilledAt) / REFILL_MS);
    if (refills > 0) {
      free = Math.min(BURST, free + refills);
      refilledAt += refills * REFILL_MS;
    }
    if (now < tickHeldUntil) return false;
    if (tickWanted) return true;
    if (monitor.phase === "done" && session.triggers.size > 0) return true;
    const isWaiting = monitor.pending.length > 0 || session.concerns.size > 0;
    if (isWaiting && !("none" in ground.thinking.agent) && mayAnswer()) return true;
    if (session.triggers.size > 0 && free > 0 && now >= gatheredAt()) return true;
    return (monitor.nextTickAt ?? 0) <= now && session.triggers.size + free > 0;
  }

  /** When completions alone, of which there is nothing to say but totals, have their summary. */
  function gatheredAt(): number {
    const { phase, lastTick } = ground.state().monitor;
    const isQuiet = phase === "live" && session.done.length === 0 && session.concerns.size === 0 &&
      [...session.triggers].every((one) => one === "completion");
    return isQuiet && lastTick !== undefined ? lastTick.startedAt + GATHER_MS : -Infinity;
  }

  /** Messages that wait for a model which does not answer wait for its next try. */
  function mayAnswer(): boolean {
    const { agent, health, budget } = ground.thinking;
    if ("none" in agent) return true;
    // People are told that the budget is used up; what else waits does so until the next day.
    const isPaidFor = ground.state().monitor.pending.length > 0 ||
      budget(0).refusal === undefined;
    return isPaidFor && health.mayCall(isUrgent(session));
  }

  async function tickNow(signal: AbortSignal): Promise<void> {
    free = Math.max(0, free - 1);
    tickWanted = false;
    const done = await part("tick", async () => {
      const config = await configOf(session);
      await takeTick(session, config, ruling(session, config), viewsOf(session), signal);
      return true;
    });
    failedTicks = done === true ? 0 : failedTicks + 1;
    // It cost a call to the model, perhaps, and nothing of it could be kept.
    if (failedTicks > 0) tickHeldUntil = clock.now() + heldMs(failedTicks);
    ticked++;
    if (options.maxTicks !== undefined && ticked >= options.maxTicks) {
      ending ??= `${ticked} ticks were asked for`;
    }
  }

  /** How long to wait for news: until the cluster is asked again, or the next tick is due. */
  function pause(): number {
    const now = clock.now();
    const { monitor } = ground.state();
    // While a tick is under way there is nothing to be in a hurry for.
    const summaryAt = free > 0 && tickEnds === undefined ? gatheredAt() : refilledAt + REFILL_MS;
    const tickAt = Math.min(
      session.triggers.size > 0 ? summaryAt : Infinity,
      tickEnds === undefined ? monitor.nextTickAt ?? Infinity : Infinity,
    );
    const times = [lookAt, Math.max(tickAt, tickHeldUntil)];
    for (const { expiresAt } of monitor.confirmations) times.push(expiresAt);
    if (monitor.pending.length > 0 || session.concerns.size > 0) {
      times.push(ground.thinking.health.nextAttemptAt() ?? Infinity);
    }
    return Math.max(LEAST_MS, Math.min(...times) - now);
  }

  async function finish(why: string): Promise<void> {
    const views = viewsOf(session);
    const { monitor } = ground.state();
    const text = stoppedText({
      reason: why,
      ticks: monitor.ticks,
      usd: monitor.spent.unpriced > 0 ? null : monitor.spent.usd,
      totals: totalsOf(views),
      live: views.filter(({ status }) => LIVE.has(status)).length,
    });
    await part("end", () =>
      ground.record([
        ...isSilent
          ? []
          : [{ type: "said" as const, said: keyed(ground, { kind: "stopped" as const, text }) }],
        { type: "monitor-stopped", why },
      ]));
  }

  return {
    run,
    end(why, how) {
      if (ending === undefined) isSilent = how?.isSilent ?? false;
      ending ??= why;
    },
    tick() {
      tickWanted = true;
      session.triggers.add("manual");
    },
    wish(at) {
      session.wishedAt = at;
    },
    goOn() {
      session.goOn = true;
    },
    lookNow() {
      lookAt = clock.now();
      session.submitAt = 0;
    },
  };
}
