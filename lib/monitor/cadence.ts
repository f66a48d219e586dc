import type { MonitorPhase } from "../sweep/monitor-event.ts";

export interface TickInput {
  phase: MonitorPhase | undefined;
  /** Milliseconds since the epoch, here and below. */
  now: number;
  /** The last failure, completion or message. */
  lastActivityAt: number | undefined;
  settings: { activeSeconds: number; steadySeconds: number };
  /** Seconds that a person or the agent asked for. */
  wish?: number | undefined;
  /** Times of what is expected: a trial's time limit, a confirmation's expiry. */
  expected?: readonly number[];
}

/** The shortest that a plan may name. */
const LEAST_SECONDS = 10;
/** A model and a hasty person get no more often than this what they wish. */
const SHORTEST_SECONDS = 60;
const LONGEST_SECONDS = 3600;
/** So long after something happened, more is likely to. */
const ACTIVITY_MS = 10 * 60_000;

/** When the next tick is due. `why` follows "because". */
export function nextTickDelay(input: TickInput): { seconds: number; why: string } {
  if (input.wish !== undefined && Number.isFinite(input.wish)) {
    return { seconds: clamp(input.wish, SHORTEST_SECONDS), why: "it was asked for" };
  }
  const usual = usualDelay(input);
  // Who writes a shorter one into the plan means it.
  const { activeSeconds, steadySeconds } = input.settings;
  const named = Math.min(SHORTEST_SECONDS, activeSeconds, steadySeconds);
  const least = Math.max(LEAST_SECONDS, named);
  const next = Math.min(...(input.expected ?? []).filter((at) => at > input.now));
  const until = (next - input.now) / 1000;
  return until < usual.seconds
    ? { seconds: clamp(Math.ceil(until), least), why: "something is due by then" }
    : { seconds: clamp(usual.seconds, least), why: usual.why };
}

function usualDelay({ phase, now, lastActivityAt, settings }: TickInput) {
  if (phase === undefined || phase === "interviewing" || phase === "canary" || phase === "stage") {
    return { seconds: settings.activeSeconds, why: "the rollout is under way" };
  }
  const recent = lastActivityAt !== undefined && now - lastActivityAt < ACTIVITY_MS;
  return recent
    ? { seconds: settings.activeSeconds, why: "something happened just now" }
    : { seconds: settings.steadySeconds, why: "all is quiet" };
}

function clamp(seconds: number, least: number): number {
  return Math.min(LONGEST_SECONDS, Math.max(least, Math.round(seconds)));
}

/** A duration for "Next tick in …": "45 s", "30 min", "1h 5m", "2d 3h". */
export function formatIn(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joined(`${hours}h`, minutes % 60, "m");
  const wholeHours = Math.round(minutes / 60);
  return joined(`${Math.floor(wholeHours / 24)}d`, wholeHours % 24, "h");
}

function joined(first: string, rest: number, unit: string): string {
  return rest === 0 ? first : `${first} ${rest}${unit}`;
}

export interface LookInput {
  now: number;
  /** Trials by what the cluster may still tell about them. */
  live: number;
  /** Of these: submitted and not seen in the queue yet, or of unknown fate. */
  open: number;
  /** When a trial last changed or something was submitted; undefined for never. */
  lastChangeAt: number | undefined;
  /** Jobs write records, by which most changes are seen without asking. */
  recordsTell: boolean;
  /** How often in a row the cluster did not answer. */
  unanswered: number;
  /** 0 up to 1: so that daemons do not ask in step. */
  random: number;
}

const SECOND = 1000;
const SOONEST_MS = 5 * SECOND;
const WITH_RECORDS_MS = 60 * SECOND;
const WITHOUT_RECORDS_MS = 30 * SECOND;
const IDLE_MS = 300 * SECOND;
const BACK_OFF_FROM_MS = 15 * SECOND;
const BACK_OFF_MOST_MS = 600 * SECOND;

/** Milliseconds until the cluster should be asked again. */
export function nextLookDelay(input: LookInput): number {
  if (input.unanswered > 0) return backOff(input);
  const since = Math.max(0, input.now - (input.lastChangeAt ?? -Infinity));
  if (input.live === 0) return between(SOONEST_MS, since / 4, IDLE_MS);
  const most = input.recordsTell ? WITH_RECORDS_MS : WITHOUT_RECORDS_MS;
  // What was just submitted shows soon; what has been open for long will not hurry for being asked.
  return between(SOONEST_MS, since / (input.open > 0 ? 12 : 4), most);
}

/** Between half and all of a time that doubles: a controller that comes back is not met by everybody at once. */
function backOff({ unanswered, random }: LookInput): number {
  const whole = Math.min(BACK_OFF_MOST_MS, BACK_OFF_FROM_MS * 2 ** Math.min(unanswered, 20));
  return Math.round(whole * (0.5 + random / 2));
}

function between(least: number, wanted: number, most: number): number {
  return Math.round(Math.min(most, Math.max(least, wanted)));
}
