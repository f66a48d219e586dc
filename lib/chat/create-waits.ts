import type { Clock } from "../base/clock.ts";
import type { Broker } from "./broker.ts";
import type { BotRules } from "./broker-config.ts";
import type { ChatHappening, Wait, WaitSubject } from "./chat-event.ts";
import type { ChatState, OpenWait } from "./chat-state.ts";
import { isPlaceAllowed } from "./gate.ts";
import { makeWait, overText, waitsOf, type WaitWish, wakeArrival } from "./waits.ts";

/** What waits know of the world. */
export interface WaitWatch {
  /** What happened, a sentence; undefined while it did not, and while nobody can say. */
  happened(subject: WaitSubject): string | undefined;
  /** Whether it would be known here. */
  isWatched(subject: WaitSubject): boolean;
}

export interface WaitsParts {
  state(): ChatState;
  /** On disk when it returns; throws when the disk refuses. */
  append(whats: readonly ChatHappening[], by: string): unknown;
  broker: Pick<Broker, "accept">;
  /**
   * Posts what happened, once: `again` when an earlier try may have done so. Undefined when there is
   * nowhere to post it any more; throws when it cannot be posted now.
   */
  post(
    wait: OpenWait,
    channelId: string,
    again: boolean,
    signal: AbortSignal,
  ): Promise<{ id: string; at: number; content: string } | undefined>;
  watch: WaitWatch;
  rules(): Pick<BotRules, "channels" | "directMessages">;
  /** The bot's own user; undefined before it was connected once. */
  me(): string | undefined;
  clock: Clock;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** What agents wait for: kept in the journal, watched here, told once, also after a restart. */
export interface Waits extends AsyncDisposable {
  set(wish: WaitWish, by: string): { wait: Wait } | { refused: string };
  /** False when this conversation has no such wait any more. */
  drop(id: string, conversation: string, by: string): boolean;
  of(conversation: string): readonly OpenWait[];
  /** Something that is watched is about to go: what has happened is written down before. */
  look(): void;
  start(): void;
}

/** All that is looked at is in this process's memory. */
const LOOK_MS = 1_000;
const IDLE_MS = 15_000;

export function createWaits(parts: WaitsParts): Waits {
  const { clock, audit } = parts;
  const stop = new AbortController();
  const tried = new Set<string>();
  const startedAt = clock.now();
  let nap = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      for (const one of Object.values(parts.state().waits)) {
        if (stop.signal.aborted) return;
        await see(one);
      }
      nap = new AbortController();
      const ms = Object.keys(parts.state().waits).length === 0 ? IDLE_MS : LOOK_MS;
      await clock.sleep(ms, AbortSignal.any([stop.signal, nap.signal])).catch(() => {});
    }
  }

  async function see(one: OpenWait): Promise<void> {
    // Dropped while another was told.
    if (parts.state().waits[one.id] === undefined) return;
    try {
      settle(one);
      const now = parts.state().waits[one.id];
      if (now?.due !== undefined) await tell(now);
    } catch (error) {
      if (stop.signal.aborted) return;
      // Discord is out, or the disk is full: the next look tries it again.
      parts.log("info", "Cannot wake a conversation now", { wait: one.id, error: `${error}` });
    }
  }

  /** What has happened is on disk before anybody is told. */
  function settle(one: OpenWait): void {
    if (one.due !== undefined) return;
    const { happened, isWatched } = parts.watch;
    const isLate = clock.now() >= one.until;
    const text = happened(one.subject) ??
      (isLate ? overText(one, isWatched(one.subject)) : undefined);
    if (text !== undefined) parts.append([{ type: "wait-due", id: one.id, text }], "broker");
  }

  async function tell(one: OpenWait): Promise<void> {
    const me = parts.me();
    const conversation = parts.state().conversations.get(one.conversation);
    if (conversation === undefined) return over(one, "failed");
    const { where, place } = conversation;
    if (me === undefined || where === undefined) return;
    const isOpen = place.isDirect
      ? parts.rules().directMessages
      : isPlaceAllowed({ place }, parts.rules());
    if (!isOpen) return over(one, "failed");
    const again = tried.has(one.id) || (one.due?.at ?? startedAt) < startedAt;
    tried.add(one.id);
    const posted = await parts.post(one, where.channelId, again, stop.signal);
    // A reset in the meantime drops what was waited for.
    if (parts.state().waits[one.id] === undefined) return;
    if (posted === undefined) return over(one, "failed");
    parts.broker.accept(wakeArrival(one, conversation, posted, me), one.conversation);
    over(one, "told");
  }

  function over({ id, conversation }: OpenWait, how: "told" | "failed"): void {
    parts.append([{ type: "wait-over", id, how }], "broker");
    tried.delete(id);
    audit("wait-over", { by: "broker", conversation, wait: id, how });
    if (how === "failed") {
      parts.log("warn", "A conversation cannot be woken: its place is gone or closed", {
        conversation,
      });
    }
  }

  return {
    set(wish, by) {
      const made = makeWait(wish, parts.state(), clock.now());
      if ("refused" in made) return made;
      const { id, conversation, subject, until } = made.wait;
      parts.append([{ type: "wait-set", wait: made.wait }], by);
      audit("wait-set", {
        by,
        conversation,
        wait: id,
        subject,
        until: new Date(until).toISOString(),
      });
      nap.abort();
      return made;
    },
    drop(id, conversation, by) {
      if (parts.state().waits[id]?.conversation !== conversation) return false;
      parts.append([{ type: "wait-over", id, how: "dropped" }], by);
      audit("wait-over", { by, conversation, wait: id, how: "dropped" });
      return true;
    },
    of: (conversation) => waitsOf(parts.state().waits, conversation),
    look() {
      for (const one of Object.values(parts.state().waits)) {
        try {
          settle(one);
        } catch (error) {
          parts.log("warn", "Cannot write down what happened", { wait: one.id, error: `${error}` });
        }
      }
      nap.abort();
    },
    start() {
      running ??= run();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
