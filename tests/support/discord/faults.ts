import { createStream } from "../../../lib/sweep/random.ts";
import type { Call, Fault } from "./pipeline.ts";
import type { FakeDiscord } from "./start-discord.ts";

/** What may befall a call, beside what `Fault` says: `gone` is a 404 after a delete that succeeded. */
export type Mishap = Exclude<Fault, { kind: "hold" }> | { kind: "gone" };

export interface Rule {
  what: Mishap;
  /** Of all calls that fit; 1 by default. */
  chance?: number;
  /** Tested against `METHOD /path`. */
  route?: RegExp;
  /** A bot's user id. */
  bot?: string;
  /** Milliseconds of the server's clock from now on. */
  forMs?: number;
  /** So many times at most. */
  times?: number;
}

export interface EventRule {
  fate: "twice" | "lost" | "late";
  chance?: number;
  /** Tested against `MESSAGE_CREATE` and its like. */
  name?: RegExp;
  bot?: string;
  forMs?: number;
  times?: number;
}

/** The faults of a loopback Discord, switched by rules; the first that fits and is drawn counts. */
export interface Faults {
  /** Gives back what takes it away. */
  call(rule: Rule): () => void;
  event(rule: EventRule): () => void;
  /** Nothing is answered and nothing is told until what is given back is called. */
  freeze(): () => void;
  clear(): void;
  /** How often each kind came to pass. */
  counts: Record<string, number>;
}

interface Armed<R> {
  rule: R;
  until: number;
  left: number;
}

const GONE: Fault = { kind: "status", status: 404, when: "after", code: 10008 };

export function createFaults(discord: FakeDiscord, seed: number): Faults {
  const random = createStream(seed, "discord");
  const calls = new Set<Armed<Rule>>();
  const events = new Set<Armed<EventRule>>();
  const counts: Record<string, number> = {};
  let hold: PromiseWithResolvers<void> | undefined;

  function arm<R extends { forMs?: number; times?: number }>(set: Set<Armed<R>>, rule: R) {
    const { forMs = Infinity, times = Infinity } = rule;
    const armed = { rule, until: discord.now() + forMs, left: times };
    set.add(armed);
    return () => void set.delete(armed);
  }

  function drawn<R extends Rule | EventRule>(
    set: Set<Armed<R>>,
    fits: (rule: R) => boolean,
  ): R | undefined {
    for (const armed of set) {
      const { rule, until } = armed;
      if (discord.now() > until || armed.left <= 0) {
        set.delete(armed);
        continue;
      }
      if (!fits(rule) || random() >= (rule.chance ?? 1)) continue;
      armed.left--;
      return rule;
    }
    return undefined;
  }

  function fault(call: Call): Fault | undefined {
    if (hold !== undefined) {
      count("freeze");
      return { kind: "hold", until: hold.promise };
    }
    const route = `${call.method} ${call.path}`;
    const bot = () => discord.bots().find(({ token }) => token === call.token)?.person.id;
    const rule = drawn(calls, ({ what, route: wanted, bot: whose }) => {
      if (wanted !== undefined && !wanted.test(route)) return false;
      if (what.kind === "gone" && call.method !== "DELETE") return false;
      if (what.kind === "stale" && call.method !== "GET") return false;
      return whose === undefined || whose === bot();
    });
    if (rule === undefined) return undefined;
    const { what } = rule;
    count("when" in what ? `${what.kind} ${what.when}` : what.kind);
    if (what.kind === "gone") return GONE;
    return what.kind === "stale" ? { kind: "stale", ms: random() * what.ms } : what;
  }

  function fate(name: string, user: string): "once" | EventRule["fate"] {
    const rule = drawn(
      events,
      ({ name: wanted, bot }) =>
        (wanted === undefined || wanted.test(name)) && (bot === undefined || bot === user),
    );
    if (rule === undefined) return "once";
    count(`event ${rule.fate}`);
    return rule.fate;
  }

  function count(what: string): void {
    counts[what] = (counts[what] ?? 0) + 1;
  }

  discord.fault = fault;
  discord.gateway.faults.fate = fate;
  return {
    counts,
    call: (rule) => arm(calls, rule),
    event: (rule) => arm(events, rule),
    freeze() {
      hold ??= Promise.withResolvers<void>();
      const thaw = discord.gateway.freeze();
      return () => {
        hold?.resolve();
        hold = undefined;
        thaw();
      };
    },
    clear() {
      calls.clear();
      events.clear();
      hold?.resolve();
      hold = undefined;
    },
  };
}
