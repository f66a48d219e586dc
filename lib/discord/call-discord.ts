import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { backOff } from "./back-off.ts";
import { DiscordError } from "./discord-error.ts";
import { createLanes } from "./lanes.ts";
import { limitTime, linkAbort } from "./linked-abort.ts";
import { networkTrouble } from "./network-trouble.ts";
import { createRateLimits } from "./rate-limits.ts";
import { numberOf, rawOf } from "./raw-json.ts";
import { type Answer, type Asked, failure, parsed, readFailure, saidBy } from "./read-failure.ts";
import { majorOf, routeKey } from "./route-key.ts";
import type { Written } from "./write-message.ts";

export interface Call {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  route: string;
  /** Goes on after "Cannot": `send to channel "123"`. */
  action: string;
  written?: Written;
  /** Doing it twice is as good as once, so that it may be tried again when nobody knows how it ended. */
  harmless: boolean;
  /** Discord's numbers that mean, on a second try, that the first one was carried out. */
  doneBefore?: readonly number[];
  /** An interaction's token in the route: no bot token is sent, and none is told. */
  secret?: string;
  /** Not behind others and not kept waiting, for it is worthless after so long. Milliseconds. */
  within?: number;
  signal?: AbortSignal | undefined;
}

export interface CallParts {
  /** Sends one request; throws when there is no answer. */
  send(call: Call, signal: AbortSignal): Promise<Answer>;
  /** Host that is asked, for people. */
  host: string;
  /** " through the proxy …", or "". */
  via: string;
  clock: Clock;
  log: Log;
  /** 0 to 1. */
  random: () => number;
}

export interface Caller {
  /** What Discord answered, unchecked; throws DiscordError. */
  call(call: Call): Promise<unknown>;
  /** The clock of whoever answered last, as its `date` said; undefined before. */
  serverNow(): number | undefined;
  /** Ends every call that is under way. */
  close(): void;
}

/** A call is tried so often when it is harmless: within ten seconds or so; longer outages are the caller's. */
const MOST_TRIES = 4;
/** Refusals for haste of one call, however short each. */
const MOST_REFUSALS = 10;
/** A call waits so long for limits; then its caller hears when to come again. Milliseconds. */
const LONGEST_WAIT_MS = 60_000;
const TRY_MS = 15_000;
/** 25 MB over a slow line. */
const UPLOAD_MS = 120_000;

/** Too many edits of one message that is older than an hour: a 429 without a time to wait, of that message alone. */
const OLD_EDITS = 30046;

const CLOSED = "the connection is being closed";

interface Course {
  tries: number;
  refusals: number;
  waitedMs: number;
  /** A try may have been carried out. */
  unclear: boolean;
  /** On the machine's clock. */
  begun: number;
}

export function createCaller(parts: CallParts): Caller {
  const { clock, log, random, via } = parts;
  const limits = createRateLimits(clock);
  const lanes = createLanes();
  const closing = new AbortController();
  let ahead: number | undefined;

  function learnTime(headers: Headers): void {
    const at = Date.parse(headers.get("date") ?? "");
    if (Number.isFinite(at)) ahead = at - clock.now();
  }

  async function call(one: Call): Promise<unknown> {
    const asked = askedOf(one);
    using ends = linkAbort([closing.signal, one.signal]);
    try {
      if (one.within !== undefined) return await insist(one, asked, ends.signal);
      const key = routeKey(one.method, one.route);
      return await lanes.run(key, ends.signal, () => insist(one, asked, ends.signal));
    } catch (error) {
      if (error instanceof DiscordError) throw error;
      if (one.signal?.aborted) throw one.signal.reason;
      if (closing.signal.aborted) throw failure(asked, CLOSED, { kind: "unreachable" });
      throw error;
    }
  }

  async function insist(one: Call, asked: Asked, ends: AbortSignal): Promise<unknown> {
    const course: Course = {
      tries: 0,
      refusals: 0,
      waitedMs: 0,
      unclear: false,
      begun: Date.now(),
    };
    for (;;) {
      await awaitTurn(one, asked, course, ends);
      const answer = await attempt(one, asked, course, ends);
      if (answer === undefined) continue;
      const { status } = answer;
      if (status === 429 && saidBy(answer)?.code === OLD_EDITS) {
        throw readFailure(asked, answer, via);
      } else if (status === 429) await refused(one, asked, answer, course, ends);
      else if (status >= 200 && status < 300) return bodyOf(asked, answer, via);
      else {
        const done = course.unclear && one.doneBefore?.includes(saidBy(answer)?.code ?? -1);
        if (done) return undefined;
        throw readFailure(asked, answer, via);
      }
    }
  }

  async function awaitTurn(one: Call, asked: Asked, course: Course, ends: AbortSignal) {
    if (one.within !== undefined) return;
    const key = routeKey(one.method, one.route);
    for (let wait = limits.wait(key); wait > 0; wait = limits.wait(key)) {
      if (course.waitedMs + wait > LONGEST_WAIT_MS) throw tooLong(asked, wait);
      course.waitedMs += wait;
      await clock.sleep(wait, ends);
    }
    limits.spend(key);
  }

  /** An answer that is none of Discord's faults; undefined when it is to be tried again. */
  async function attempt(one: Call, asked: Asked, course: Course, ends: AbortSignal) {
    let answer: Answer | undefined;
    let why = "";
    try {
      using limit = limitTime(patienceMs(one, course), ends);
      answer = await parts.send(one, limit.signal);
    } catch (error) {
      ends.throwIfAborted();
      why = networkTrouble(error);
    }
    if (answer !== undefined) {
      learnTime(answer.headers);
      limits.learn(routeKey(one.method, one.route), majorOf(one.route), answer.headers);
      if (answer.status < 500) return answer;
    }
    course.unclear = true;
    course.tries++;
    const failed = answer === undefined
      ? failure(asked, `${parts.host} does not answer (${why})${via}`, { kind: "unreachable" })
      : readFailure(asked, answer, via);
    const pause = backOff(course.tries, { firstMs: 500, mostMs: 10_000, random });
    const late = one.within !== undefined && Date.now() - course.begun + pause >= one.within;
    if (!one.harmless || course.tries >= MOST_TRIES || late) throw failed;
    log.write("info", "A call to Discord is tried again", { why: failed.message, pauseMs: pause });
    await clock.sleep(pause, ends);
    return undefined;
  }

  async function refused(
    one: Call,
    asked: Asked,
    answer: Answer,
    course: Course,
    ends: AbortSignal,
  ) {
    const raw = rawOf(parsed(answer.text));
    const named = numberOf(raw["retry_after"]) ?? Number(answer.headers.get("retry-after") ?? "");
    // A refusal without a time, or with an odd one, must not become a loop without a pause.
    const waitMs = Number.isFinite(named) && named > 0 ? Math.max(50, named * 1000) : 1000;
    // Without Discord's JSON it is the guard in front of it, which means every route.
    const everywhere = raw["global"] === true || answer.headers.has("x-ratelimit-global") ||
      numberOf(raw["retry_after"]) === undefined;
    course.refusals++;
    const late = one.within !== undefined && Date.now() - course.begun + waitMs >= one.within;
    if (one.within === undefined) {
      limits.refuse(routeKey(one.method, one.route), waitMs, everywhere);
    }
    if (late || course.refusals > MOST_REFUSALS) throw tooLong(asked, waitMs);
    if (one.within !== undefined) await clock.sleep(waitMs, ends);
  }

  return {
    call,
    serverNow: () => ahead === undefined ? undefined : clock.now() + ahead,
    close: () => closing.abort(new Error(CLOSED)),
  };
}

function askedOf({ action, method, route, secret }: Call): Asked {
  return { action, method, route: secret === undefined ? route : route.replaceAll(secret, "…") };
}

function tooLong(asked: Asked, waitMs: number): DiscordError {
  const seconds = Math.ceil(waitMs / 1000);
  return failure(asked, `Discord allows no more for ${seconds} s`, {
    kind: "limited",
    status: 429,
    retryAfterMs: waitMs,
  });
}

/** Discord's JSON. What is none came from somebody in between. */
function bodyOf(asked: Asked, { status, text }: Answer, via: string): unknown {
  if (status === 204 || text === "") return undefined;
  const value = parsed(text);
  if (value !== undefined) return value;
  throw failure(asked, `the answer is not Discord's (HTTP ${status})${via}`, {
    kind: "unreachable",
    status,
  });
}

/** How long one try may take: on the machine's clock, as it is another machine that is waited for. */
function patienceMs(one: Call, course: Course): number {
  if (one.within !== undefined) return Math.max(1, one.within - (Date.now() - course.begun));
  return (one.written?.files.length ?? 0) > 0 ? UPLOAD_MS : TRY_MS;
}
