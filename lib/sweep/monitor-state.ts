import type { Happening } from "./event.ts";
import type {
  Boot,
  Bump,
  Confirmation,
  Message,
  MonitorHappening,
  MonitorPhase,
  Peripheral,
  Question,
  Said,
  SaidTask,
  Tick,
  Tokens,
  Verdict,
} from "./monitor-event.ts";
import type { Status } from "./status-word.ts";

/** What `herd monitor` knows of its own work: plain data, a fold like the rest of the state. */
export interface MonitorState {
  boot: Boot | undefined;
  /** The daemon that started last and did not say that it stopped. */
  running:
    | { since: number; host: string; pid: number; mode: "agent" | "rules"; version: string }
    | undefined;
  phase: MonitorPhase | undefined;
  stage: number;
  phaseSince: number;
  /** Trials of each stage that was entered, by stage. */
  stages: (readonly number[])[];
  /** The one question that is open. */
  question: Question | undefined;
  /** Question id to answer; the latest interview's. */
  answers: Record<string, string>;
  /** Received and not handled, oldest first. */
  pending: (Message & { at: number })[];
  /** Ids of the last messages, so that none is heard twice. */
  heard: string[];
  /** What was said last, oldest first. */
  recent: (Said & { at: number; by: string })[];
  /** Messages and answers of people and agent, oldest first: what a conversation remembers. */
  talk: { at: number; who: string; text: string }[];
  /** Trial to the status that people were last told. */
  told: Record<string, Status>;
  /** By `attemptKey`. */
  verdicts: Record<string, Verdict & { at: number }>;
  bumps: (Bump & { at: number; by: string; applied: boolean })[];
  /** `trial/about` to when. */
  warned: Record<string, number>;
  /** Open ones. */
  confirmations: (Confirmation & { at: number })[];
  /** A person said yes, and it is not done yet; `at` and `by` are of the yes. */
  agreed: (Confirmation & { at: number; by: string })[];
  ticks: number;
  lastTick: Tick | undefined;
  nextTickAt: number | undefined;
  spent: { calls: number; usd: number; unpriced: number; tokens: Tokens };
  /** Day (UTC, 2026-11-21) to US dollars. */
  spentOn: Record<string, number>;
  /** Undefined before the first call. */
  model: { ok: boolean; since: number; detail: string } | undefined;
  /** Those that were ever in trouble. */
  peripherals: Partial<Record<Peripheral, { ok: boolean; since: number; detail: string }>>;
  /** Budgets that were reached and told of: `sweep`, `day:2026-11-21`. */
  budgetTold: string[];
  promptSeen: string | undefined;
  halted: { why: string; at: number; by: string } | undefined;
}

/** Kept of what only the recent past matters of. */
const KEPT = { heard: 500, recent: 100, talk: 60, days: 40 };

export function emptyMonitorState(): MonitorState {
  return {
    boot: undefined,
    running: undefined,
    phase: undefined,
    stage: 0,
    phaseSince: 0,
    stages: [],
    question: undefined,
    answers: {},
    pending: [],
    heard: [],
    recent: [],
    talk: [],
    told: {},
    verdicts: {},
    bumps: [],
    warned: {},
    confirmations: [],
    agreed: [],
    ticks: 0,
    lastTick: undefined,
    nextTickAt: undefined,
    spent: { calls: 0, usd: 0, unpriced: 0, tokens: noTokens() },
    spentOn: {},
    model: undefined,
    peripherals: {},
    budgetTold: [],
    promptSeen: undefined,
    halted: undefined,
  };
}

export function noTokens(): Tokens {
  return { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
}

export function addTokens(one: Tokens, other: Tokens): Tokens {
  return {
    input: one.input + other.input,
    output: one.output + other.output,
    cacheRead: one.cacheRead + other.cacheRead,
    cacheWrite: one.cacheWrite + other.cacheWrite,
  };
}

/** The day of a time as budgets count it: UTC, "2026-11-21". */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** Whether it is of the monitor's own memory: trials and jobs are as before. */
export function isMonitors(what: Happening): what is MonitorHappening {
  return Object.hasOwn(MONITORS, what.type);
}

/** A type added to `MonitorHappening` must be added here; the compiler says so. */
const MONITORS: Readonly<Record<MonitorHappening["type"], true>> = {
  "monitor-started": true,
  "monitor-stopped": true,
  "phase-entered": true,
  "question-asked": true,
  "question-closed": true,
  "message-received": true,
  "messages-handled": true,
  "said": true,
  "ticked": true,
  "model-used": true,
  "model-health": true,
  "budget-reached": true,
  "triaged": true,
  "bumped": true,
  "bump-applied": true,
  "warned": true,
  "confirmation-asked": true,
  "confirmation-answered": true,
  "confirmation-settled": true,
  "prompt-acknowledged": true,
  "halted": true,
  "unhalted": true,
  "cadence-chosen": true,
  "peripheral-health": true,
};

/** Adds one event, in place. */
export function applyToMonitor(
  state: MonitorState,
  what: MonitorHappening,
  at: number,
  by: string,
): void {
  switch (what.type) {
    case "monitor-started": {
      const { host, pid, mode, version } = what;
      state.running = { since: at, host, pid, mode, version };
      state.boot = what.boot;
      return;
    }
    case "monitor-stopped":
      state.running = undefined;
      return;
    case "phase-entered":
      // A new interview begins with no answer of the one before.
      if (what.phase === "interviewing") state.answers = {};
      if (what.phase === "post-mortem") delete state.answers["rerun"];
      state.phase = what.phase;
      state.stage = what.stage;
      state.phaseSince = at;
      if (what.phase === "canary" || what.phase === "stage") state.stages[what.stage] = what.trials;
      return;
    case "question-asked":
      state.question = what.question;
      return;
    case "question-closed":
      if (state.question?.id === what.id) state.question = undefined;
      state.answers[what.id] = what.answer;
      return;
    case "message-received":
      return receive(state, what.message, at);
    case "messages-handled":
      state.pending = state.pending.filter(({ id }) => !what.ids.includes(id));
      return;
    case "said":
      return say(state, what.said, at, by);
    case "ticked":
      state.ticks = what.tick.number;
      state.lastTick = what.tick;
      state.nextTickAt = what.tick.nextAt;
      return;
    case "model-used":
      return spend(state, what.use.tokens, what.use.usd, at);
    case "model-health":
      state.model = { ok: what.ok, since: at, detail: what.detail };
      return;
    case "budget-reached":
      state.budgetTold = keep([...state.budgetTold, budgetKey(what.scope, what.day)], KEPT.days);
      return;
    case "triaged":
      for (const verdict of what.verdicts) state.verdicts[verdict.attempt] = { ...verdict, at };
      return;
    case "bumped":
      state.bumps.push({ ...what.bump, at, by, applied: false });
      return;
    case "bump-applied":
      for (const bump of state.bumps) if (bump.id === what.id) bump.applied = true;
      return;
    case "warned":
      state.warned[`${what.trial}/${what.about}`] = at;
      return;
    case "confirmation-asked":
      state.confirmations.push({ ...what.confirmation, at });
      return;
    case "confirmation-answered":
      for (const one of state.confirmations) {
        if (one.id === what.id && what.yes) state.agreed.push({ ...one, at, by });
      }
      state.confirmations = state.confirmations.filter(({ id }) => id !== what.id);
      return;
    case "confirmation-settled":
      state.agreed = state.agreed.filter(({ id }) => id !== what.id);
      return;
    case "prompt-acknowledged":
      state.promptSeen = what.sha256;
      return;
    case "halted":
      state.halted = { why: what.why, at, by };
      return;
    case "unhalted":
      state.halted = undefined;
      return;
    case "cadence-chosen":
      state.nextTickAt = at + what.seconds * 1000;
      return;
    case "peripheral-health":
      state.peripherals[what.name] = { ok: what.ok, since: at, detail: what.detail };
      return;
  }
}

/** What `budgetTold` holds once this budget was reached; a tick's is told with the tick. */
export function budgetKey(scope: "tick" | "day" | "sweep", day: string): string {
  return scope === "day" ? `day:${day}` : scope;
}

function receive(state: MonitorState, message: Message, at: number): void {
  if (state.heard.includes(message.id)) return;
  state.heard = keep([...state.heard, message.id], KEPT.heard);
  state.pending.push({ ...message, at });
  state.talk = keep([...state.talk, { at, who: message.name, text: message.text }], KEPT.talk);
}

function say(state: MonitorState, { task, ...words }: Said, at: number, by: string): void {
  // What goes with a post as a file is the journal's; every snapshot would carry it.
  const { more: _, ...about } = task ?? {};
  const said: Said = task === undefined ? words : { ...words, task: about as SaidTask };
  state.recent = keep([...state.recent, { ...said, at, by }], KEPT.recent);
  if (said.kind === "agent") {
    state.talk = keep([...state.talk, { at, who: "herd", text: said.text }], KEPT.talk);
  }
  for (const [trial, status] of said.trials ?? []) state.told[trial] = status;
}

function spend(state: MonitorState, tokens: Tokens, usd: number | null, at: number): void {
  const { spent, spentOn } = state;
  spent.calls++;
  spent.tokens = addTokens(spent.tokens, tokens);
  if (usd === null) spent.unpriced++;
  else {
    spent.usd += usd;
    spentOn[dayOf(at)] = (spentOn[dayOf(at)] ?? 0) + usd;
    for (const day of Object.keys(spentOn).sort().slice(0, -KEPT.days)) delete spentOn[day];
  }
}

function keep<T>(list: readonly T[], most: number): T[] {
  return list.slice(-most);
}
