import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import { isPlaceAllowed } from "../chat/gate.ts";
import { usageTable } from "../chat/usage.ts";
import type { BrokerStatus } from "../control/station.ts";
import type { UserPlace } from "../control/user-place.ts";
import { createSerial } from "../discord/serial.ts";
import { createBotCrew } from "./bot-crew.ts";
import { botStatus } from "./bot-status.ts";
import { createBrokerFile } from "./broker-file.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { DiscordHub } from "./discord-hub.ts";
import { createOfferTools } from "./offer-tools.ts";
import { createWaitSubjects } from "./wait-subjects.ts";
import type { Wire } from "./wires.ts";

export interface BrokerOfficeParts {
  place: UserPlace;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  hub: Pick<DiscordHub, "wireOf" | "isSweepChannel" | "sweepAt" | "sweepIn">;
  pool(): PoolDesk | undefined;
  self: readonly string[];
  random(): number;
  onWarning(message: string): void;
}

/** The bots that converse, within the daemon: as configured at any time, kept where that was asked for. */
export interface BrokerOffice extends AsyncDisposable {
  status(): BrokerStatus | undefined;
  /** What conversations have used, a table for each bot; "" when there was nothing. */
  usage(by: "day" | "model", days: number): string;
  /** Whether a bot with this connection is let into that thread. */
  converses(wire: Wire, place: { channelId: string; threadId: string }): boolean;
  /** At the daemon's start: what is configured is opened, now and later; `wanted` insists, and keeps the daemon. */
  begin(wanted: boolean): Promise<void>;
  /** Insists later, in a daemon that runs already. */
  start(): Promise<void>;
  end(): void;
  /** Whether somebody asked for it. */
  isKept(): boolean;
  /** A sweep is about to go: whoever waits for something of it is told now. */
  sweepEnds(): void;
  /** Resolves when the daemon need not stay for the broker. */
  idle(): Promise<void>;
}

/** How soon a change of the configuration counts. */
const LOOK_MS = 2_000;
/** What kept a bot from being opened, such as another daemon that has it, may pass by itself. */
const RETRY_MS = 60_000;
const GLANCE_MS = 300;
/** A daemon whose sweeps have ended stays so long for turns that run. */
const LAST_ANSWERS_MS = 10 * 60_000;

export function createBrokerOffice(parts: BrokerOfficeParts): BrokerOffice {
  const { clock, log, env } = parts;
  const stop = new AbortController();
  const stopped = Promise.withResolvers<void>();
  const serial = createSerial();
  const file = createBrokerFile(env, (message) => {
    log.write("warn", message);
    parts.onWarning(message);
  });
  const offers = createOfferTools(parts);
  const crew = createBotCrew({
    ...parts,
    settings: file.current,
    offer: offers.offer,
    subjects: createWaitSubjects({ sweepIn: parts.hub.sweepIn, pool: parts.pool }),
  });
  let kept = false;
  let watching: Promise<void> | undefined;

  const fit = () =>
    serial(async () => {
      if (!stop.signal.aborted) await crew.fit();
    });

  async function watch(): Promise<void> {
    let tried = clock.now();
    while (!stop.signal.aborted) {
      await clock.sleep(LOOK_MS, stop.signal).catch(() => {});
      if (stop.signal.aborted) return;
      const isDue = crew.missing().size > 0 && clock.now() - tried >= RETRY_MS;
      try {
        if (!file.look() && !isDue) continue;
        tried = clock.now();
        await fit();
      } catch (error) {
        log.write("warn", "The broker cannot follow its configuration", {
          error: explain(error, "log"),
        });
      }
    }
  }

  /** Throws what is wrong with the configuration. */
  async function insist(): Promise<void> {
    file.look();
    file.current();
    await fit();
  }

  /** Who asked last is answered; not for longer than people would wait. */
  async function answered(): Promise<void> {
    const over = new AbortController();
    void stopped.promise.then(() => over.abort());
    const until = clock.now() + LAST_ANSWERS_MS;
    while (!over.signal.aborted && clock.now() < until) {
      if (!crew.all().some(({ bot }) => bot.isBusy())) return;
      await clock.sleep(GLANCE_MS, over.signal).catch(() => {});
    }
  }

  return {
    converses(wire, { channelId, threadId }) {
      const place = {
        ...{ channelId, threadId, isDirect: false },
        ...{ threadOwner: undefined, guildId: undefined },
      };
      return crew.all().some((one) =>
        one.wire === wire && isPlaceAllowed({ place }, one.config().rules)
      );
    },
    sweepEnds() {
      for (const { bot } of crew.all()) bot.look();
    },
    status() {
      if (!file.isThere()) return undefined;
      return {
        bots: crew.all().map((one) => botStatus(one, clock.now())),
        missing: [...crew.missing()].map(([name, why]) => ({ name, why })),
        mistake: file.mistake() ?? null,
      };
    },
    usage: (by, days) =>
      crew.all().flatMap(({ bot }) => {
        const lines = usageTable(bot.state().usage, { by, days, now: clock.now() });
        return lines.length === 0 ? [] : [`Conversations of ${bot.name}:`, ...lines];
      }).join("\n"),
    async begin(wanted) {
      kept ||= wanted;
      // A sweep is not kept from running by what is wrong with the broker.
      if (wanted) await insist();
      else if (file.look()) await fit();
      watching ??= watch();
    },
    async start() {
      await insist();
      kept = true;
    },
    end: stopped.resolve,
    isKept: () => kept,
    idle: () => kept ? stopped.promise : answered(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      stopped.resolve();
      await watching;
      await serial(async () => await crew[Symbol.asyncDispose]());
      await offers[Symbol.asyncDispose]();
    },
  };
}
