import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { backOff } from "./back-off.ts";
import { createShard } from "./create-shard.ts";
import { DiscordError } from "./discord-error.ts";
import {
  CONTENT_REFUSED,
  type Ending,
  type Sequel,
  sequelOf,
  TOKEN_REFUSED,
} from "./gateway-ending.ts";
import { INTENT } from "./intents.ts";
import type { LinkState } from "./link.ts";
import type { DiscordRest } from "./rest.ts";

export interface GatewayParts {
  token: string;
  /** Says where the gateway is. */
  rest: Pick<DiscordRest, "gateway">;
  /** For the proxy. */
  env: Readonly<Record<string, string | undefined>>;
  intents: number;
  clock: Clock;
  log: Log;
  /** 0 to 1. */
  random: () => number;
  onState(state: LinkState): void;
  /** An event, unchecked. READY comes after the state has become `connected`. */
  onDispatch(name: string, data: unknown): void;
  /** Who the bot is, out of READY; undefined when that is unreadable. */
  readReady(data: unknown): { me: { id: string; name: string }; applicationId: string } | undefined;
}

export interface Gateway extends AsyncDisposable {
  state(): LinkState;
  start(): void;
}

const FIRST_MS = 1_000;
const MOST_MS = 5 * 60_000;
/** A new session that lasts so long was no accident; one that ends before counts as a failed try. */
const LASTING_MS = 60_000;
/** Discord takes one new session per five seconds from one bot. */
const IDENTIFY_EVERY_MS = 5_000;
/** Sessions are counted by the day; a timer for more than 24 of them ends at once. */
const DAY_MS = 24 * 3_600_000;
/** Failed attempts at one session, until it is given up. An unreachable server costs one, a no three. */
const RESUME_CREDIT = 5;

type Identity = NonNullable<ReturnType<GatewayParts["readReady"]>>;

interface Course {
  tries: number;
  /** Whether message content is asked for. */
  content: boolean;
  resumes: number;
  identifiedAt: number;
  stoodAt: number | undefined;
  resumed: boolean;
}

/**
 * One connection to the gateway, for as long as it lives: it connects, resumes and waits by
 * itself. All of it is one loop, so there are never two connections.
 */
export function createGateway(parts: GatewayParts): Gateway {
  const { clock, log, random } = parts;
  const closing = new AbortController();
  const course: Course = {
    tries: 0,
    content: (parts.intents & INTENT.messageContent) !== 0,
    resumes: RESUME_CREDIT,
    identifiedAt: -Infinity,
    stoodAt: undefined,
    resumed: false,
  };
  let state: LinkState = { phase: "connecting", since: clock.now(), tries: 0 };
  let identity: Identity | undefined;
  let running: Promise<void> | undefined;
  const shard = createShard({ ...parts, onDispatch });

  function become(next: LinkState): void {
    state = next;
    parts.onState(next);
  }

  function onDispatch(name: string, data: unknown): void {
    if (name === "READY") identity = parts.readReady(data) ?? identity;
    if ((name === "READY" || name === "RESUMED") && identity !== undefined) {
      course.stoodAt = clock.now();
      course.resumed = name === "RESUMED";
      course.resumes = RESUME_CREDIT;
      become({
        phase: "connected",
        since: clock.now(),
        ...identity,
        ...(course.content || (parts.intents & INTENT.messageContent) === 0 ? {} : CONTENT_REFUSED),
      });
    }
    parts.onDispatch(name, data);
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      become({ phase: "connecting", since: clock.now(), tries: course.tries });
      const sequel = await once();
      if (closing.signal.aborted) break;
      if (sequel.next === "stop") {
        log.write("error", sequel.detail, { hint: sequel.hint });
        const { why, detail, hint } = sequel;
        return become({ phase: "refused", since: clock.now(), why, detail, hint });
      }
      if (sequel.next === "resume") continue;
      shard.forgetSession();
      course.resumes = RESUME_CREDIT;
      if (sequel.next === "without-content") {
        course.content = false;
        log.write("warn", CONTENT_REFUSED.detail, { hint: CONTENT_REFUSED.hint });
      }
    }
  }

  /** One connection, and the wait behind it. */
  async function once(): Promise<Sequel> {
    course.stoodAt = undefined;
    course.resumed = false;
    const resuming = shard.hasSession();
    const found = resuming ? { url: "" } : await whereToBegin();
    if ("next" in found) return found;
    const intents = course.content ? parts.intents : parts.intents & ~INTENT.messageContent;
    const ending: Ending = "kind" in found
      ? found
      : await shard.live(found.url, intents, closing.signal);
    if (closing.signal.aborted) return { next: "resume", detail: "" };
    const sequel = sequelOf(ending, course.content);
    if (sequel.next === "stop" || sequel.next === "without-content") return sequel;
    countTry();
    if (resuming && course.stoodAt === undefined) {
      course.resumes -= ending.kind === "failed" ? 1 : 3;
    }
    await pause(pauseAfter(ending), sequel.detail);
    return course.resumes <= 0 ? { ...sequel, next: "identify" } : sequel;
  }

  function countTry(): void {
    const lasted = course.stoodAt !== undefined &&
      (course.resumed || clock.now() - course.stoodAt >= LASTING_MS);
    course.tries = lasted ? 0 : course.tries + 1;
  }

  function pauseAfter(ending: Ending): number {
    if (ending.kind === "asked" && course.tries === 0) return 0;
    const wait = backOff(course.tries, { firstMs: FIRST_MS, mostMs: MOST_MS, random });
    // One to five seconds are Discord's own wish after it refused a session.
    return ending.kind === "invalid" ? Math.max(wait, 1_000 + Math.round(4_000 * random())) : wait;
  }

  async function pause(ms: number, detail: string): Promise<void> {
    log.write("info", "The connection to Discord has ended", { detail, pauseMs: ms });
    if (ms <= 0) return;
    const since = clock.now();
    become({ phase: "waiting", since, retryAt: since + ms, tries: course.tries, detail });
    await clock.sleep(ms, closing.signal).catch(() => {});
  }

  /** The address for a new session, when Discord allows one. */
  async function whereToBegin(): Promise<{ url: string } | Ending | Sequel> {
    try {
      const { url, remaining, resetAfterMs } = await parts.rest.gateway(closing.signal);
      if (remaining <= 0) {
        const wait = Math.min(Math.max(resetAfterMs, FIRST_MS), DAY_MS);
        const minutes = Math.ceil(wait / 60_000);
        await pause(wait, `Discord allows this bot no new session for ${minutes} min`);
      }
      const early = course.identifiedAt + IDENTIFY_EVERY_MS - clock.now();
      if (early > 0) await clock.sleep(early, closing.signal);
      course.identifiedAt = clock.now();
      return { url };
    } catch (error) {
      if (error instanceof DiscordError && error.kind === "unauthorized") return TOKEN_REFUSED;
      if (error instanceof DiscordError) return { kind: "failed", detail: error.message };
      if (closing.signal.aborted) return { next: "resume", detail: "" };
      throw error;
    }
  }

  return {
    state: () => state,
    start() {
      running ??= run().catch((error) => {
        log.write("error", "The connection to Discord has broken off", { error: String(error) });
        const detail = "The connection to Discord has broken off by a fault of herd";
        const hint = "Start herd again, and report what its log says";
        become({ phase: "refused", since: clock.now(), why: "other", detail, hint });
      });
    },
    async [Symbol.asyncDispose]() {
      if (closing.signal.aborted) return void await running;
      closing.abort(new Error("The connection is being closed"));
      await running;
      become({ phase: "closed", since: clock.now() });
    },
  };
}
