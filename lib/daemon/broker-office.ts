import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import type { BotConfig } from "../chat/broker-config.ts";
import type { ChatState } from "../chat/chat-state.ts";
import { isPlaceAllowed } from "../chat/gate.ts";
import { dayOf, usageTable, usdOn } from "../chat/usage.ts";
import type { BotStatus, BrokerStatus } from "../control/station.ts";
import type { UserPlace } from "../control/user-place.ts";
import { DISCORD_API_URL } from "../discord/create-link.ts";
import type { LinkState } from "../discord/link.ts";
import { type Confinement, findConfinement } from "../tasks/confine.ts";
import { surveyOnce } from "./bot-places-checkup.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import { botPlace } from "./broker-place.ts";
import {
  type BrokerSettings,
  readBrokerSettings,
  readBrokerSettingsIfThere,
} from "./broker-settings.ts";
import type { DiscordHub } from "./discord-hub.ts";
import { createOfferTools } from "./offer-tools.ts";
import { type OpenBot, openBot } from "./open-bot.ts";
import { herdConfigPath } from "./pool-settings.ts";
import { createScale } from "./scale.ts";
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

/** The bots that converse, within the daemon: opened where they are configured, kept where that was asked for. */
export interface BrokerOffice extends AsyncDisposable {
  status(): BrokerStatus | undefined;
  /** What conversations have used, a table for each bot; "" when there was nothing. */
  usage(by: "day" | "model", days: number): string;
  /** Whether a bot with this connection is let into that thread. */
  converses(wire: Wire, place: { channelId: string; threadId: string }): boolean;
  /** At the daemon's start: what is configured is opened; `wanted` insists, and keeps the daemon. */
  begin(wanted: boolean): Promise<void>;
  /** The same later, for a daemon that runs already. */
  start(): Promise<void>;
  end(): void;
  /** A sweep is about to go: whoever waits for something of it is told now. */
  sweepEnds(): void;
  /** Resolves when the daemon need not stay for the broker. */
  idle(): Promise<void>;
}

interface Opened {
  bot: OpenBot;
  wire: Wire;
  config(): BotConfig;
  leave(): Promise<void>;
}

const CONFIG_MS = 5_000;
const LOOK_MS = 300;
/** A daemon whose sweeps have ended stays so long for turns that run. */
const LAST_ANSWERS_MS = 10 * 60_000;

export function createBrokerOffice(parts: BrokerOfficeParts): BrokerOffice {
  const { clock, log, env, hub } = parts;
  const offers = createOfferTools(parts);
  const subjects = createWaitSubjects({ sweepIn: hub.sweepIn, pool: parts.pool });
  const stopped = Promise.withResolvers<void>();
  const over = new AbortController();
  const bots = new Map<string, Opened>();
  let kept = false;
  let isOpen = false;
  let opening: Promise<void> | undefined;
  let settings: BrokerSettings | undefined;
  let read = { at: 0, stamp: "" };

  /** The file as it is now; a mistake in it is told once, and what was before goes on. */
  function current(): BrokerSettings {
    const now = clock.now();
    if (settings !== undefined && now - read.at < CONFIG_MS) return settings;
    const stamp = stampOf(herdConfigPath(env));
    if (settings === undefined || stamp !== read.stamp) {
      try {
        settings = readBrokerSettings(env);
      } catch (error) {
        if (settings === undefined) throw error;
        log.write("warn", `The broker goes on as it was configured: ${explain(error, "terminal")}`);
      }
    }
    read = { at: now, stamp };
    return settings!;
  }

  /** A bot that was taken out of the file goes on by its last rules until the daemon ends. */
  function configOf(first: BotConfig): () => BotConfig {
    let last = first;
    return () => last = current().broker.bots.find(({ name }) => name === first.name) ?? last;
  }

  async function openAll(): Promise<void> {
    const { broker } = current();
    const { wrap } = await findConfinement(env);
    for (const config of broker.bots) {
      if (bots.has(config.name)) continue;
      try {
        await open(config, wrap);
      } catch (error) {
        // One bot that cannot be opened keeps no other from being there.
        const why = explain(error, "terminal");
        log.write("error", `The bot "${config.name}" is not opened`, { error: why });
        parts.onWarning(`broker: the bot "${config.name}" is not opened: ${why}`);
      }
    }
    isOpen = true;
  }

  async function open(config: BotConfig, wrap: Confinement["wrap"]): Promise<void> {
    const { name } = config;
    const token = "env" in config.token ? env[config.token.env] ?? "" : config.token.text;
    if (token === "") {
      const from = "env" in config.token ? config.token.env : "its token";
      parts.onWarning(`broker: ${from} is not set: the bot "${name}" is not on Discord`);
      log.write("warn", `${from} is not set`, { bot: name });
      return;
    }
    const wire = hub.wireOf(token, env);
    const told = configOf(config);
    try {
      const bot = await openBot({
        place: botPlace(parts.place.folder, name),
        settings: current,
        config: told,
        link: wire.link,
        env,
        clock,
        log,
        random: parts.random,
        wrap,
        scale: createScale({ self: parts.self, log }),
        fetch,
        origins: originsOf(env["DISCORD_API_URL"] || DISCORD_API_URL),
        siblings: () =>
          [...bots.values()].flatMap((one) => one.bot.name === name ? [] : one.bot.me() ?? []),
        home: dirname(herdConfigPath(env)),
        isSweeps: (channelId) => hub.isSweepChannel(wire, channelId),
        sweepAt: hub.sweepAt,
        subjects,
        offer: offers.offer,
      });
      const survey = surveyOnce({
        config: told,
        rest: wire.link.rest,
        signal: over.signal,
        onWarning: (message) => parts.onWarning(`broker: ${message}`),
        log,
      });
      const leave = wire.join({
        rank: "bot",
        guildId: undefined,
        commands: bot.desk.definitions,
        directCommands: bot.desk.directDefinitions,
        onState(state) {
          tellTrouble(name, state);
          survey(state);
        },
        onEvent: bot.surface.handle,
        // What is the pool's everywhere else; its `/cost` tells of conversations as well.
        claims: (given) =>
          given.kind !== "button" && given.name !== "cost" &&
          (given.name === "whereami" || isHeldAt(bot.state(), given.channelId)),
        onInteraction: bot.surface.interact,
        onCommandsRefused: (_, why) =>
          parts.onWarning(`broker: no slash commands for "${name}": ${why}`),
      });
      bots.set(name, { bot, wire, leave, config: told });
      bot.start();
      log.write("info", "A bot converses", {
        bot: name,
        conversations: bot.state().conversations.size,
      });
    } catch (error) {
      await wire.tidy();
      throw error;
    }
  }

  /** What only a person can mend, with where. */
  function tellTrouble(name: string, state: LinkState): void {
    if (state.phase !== "refused" && state.phase !== "connected") return;
    if (state.detail === undefined) return;
    parts.onWarning(`broker: the bot "${name}": ${state.detail}. ${state.hint ?? ""}`.trim());
  }

  async function ensure(): Promise<void> {
    opening ??= openAll().finally(() => opening = undefined);
    await opening;
  }

  /** Who asked last is answered; not for longer than people would wait. */
  async function answered(): Promise<void> {
    const over = new AbortController();
    void stopped.promise.then(() => over.abort());
    const until = clock.now() + LAST_ANSWERS_MS;
    while (!over.signal.aborted && clock.now() < until) {
      if (![...bots.values()].some(({ bot }) => bot.isBusy())) return;
      await clock.sleep(LOOK_MS, over.signal).catch(() => {});
    }
  }

  return {
    status() {
      if (!isOpen) return undefined;
      return { bots: [...bots.values()].map((one) => statusOf(one, current, clock.now())) };
    },
    converses(wire, { channelId, threadId }) {
      const place = {
        ...{ channelId, threadId, isDirect: false },
        ...{ threadOwner: undefined, guildId: undefined },
      };
      return [...bots.values()].some((one) =>
        one.wire === wire && isPlaceAllowed({ place }, one.config().rules)
      );
    },
    usage: (by, days) =>
      [...bots.values()].flatMap(({ bot }) => {
        const lines = usageTable(bot.state().usage, { by, days, now: clock.now() });
        return lines.length === 0 ? [] : [`Conversations of ${bot.name}:`, ...lines];
      }).join("\n"),
    async begin(wanted) {
      kept ||= wanted;
      if (wanted) return await ensure();
      try {
        if (readBrokerSettingsIfThere(env) !== undefined) await ensure();
      } catch (error) {
        // A sweep is not kept from running by what is wrong with the broker.
        log.write("warn", `The broker is not opened: ${explain(error, "terminal")}`);
      }
    },
    async start() {
      await ensure();
      kept = true;
    },
    end: stopped.resolve,
    sweepEnds() {
      for (const { bot } of bots.values()) bot.look();
    },
    idle: () => kept ? stopped.promise : answered(),
    async [Symbol.asyncDispose]() {
      stopped.resolve();
      over.abort();
      await opening?.catch(() => {});
      for (const { bot, leave } of bots.values()) {
        await bot[Symbol.asyncDispose]();
        await leave();
      }
      bots.clear();
      await offers[Symbol.asyncDispose]();
    },
  };
}

function statusOf(
  { bot, wire }: Opened,
  settings: () => BrokerSettings,
  now: number,
): BotStatus {
  const config = settings().broker.bots.find(({ name }) => name === bot.name);
  const link = wire.link.state();
  const state = bot.state();
  const all = [...state.conversations.values()];
  return {
    name: bot.name,
    user: bot.me() ?? null,
    connection: {
      phase: link.phase,
      detail: "detail" in link ? link.detail ?? null : null,
    },
    conversations: all.length,
    turns: bot.broker.turns().map((turn) => ({
      conversation: turn.conversation,
      turn: turn.id,
      state: turn.state.kind,
      started_at: turn.startedAt ?? null,
      active_at: turn.activeAt,
      asks: turn.state.kind === "asking" ? turn.state.what : null,
    })),
    waiting: all.reduce((sum, { waiting }) => sum + waiting.length, 0),
    untold: all.filter(({ untold }) => untold.length > 0).length,
    agents: {
      live: bot.sessions.live().length,
      most: config?.pool.mostSessions ?? 0,
      waiting: bot.sessions.waiting().length,
    },
    today: { usd: usdOn(state.usage, dayOf(now)), budget_usd: config?.budget.usdPerDay ?? null },
  };
}

function isHeldAt({ conversations }: ChatState, channelId: string): boolean {
  return [...conversations.values()].some(({ where }) =>
    where?.channelId === channelId && !where.replies
  );
}

/** Files of messages come from there, and from nowhere else. */
function originsOf(apiUrl: string): string[] {
  const own = URL.parse(apiUrl)?.origin;
  return [
    "https://cdn.discordapp.com",
    "https://media.discordapp.net",
    ...(own === undefined ? [] : [own]),
  ];
}

function stampOf(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}
