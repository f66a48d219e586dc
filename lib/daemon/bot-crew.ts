import { dirname } from "node:path";
import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import type { Log } from "../base/log.ts";
import type { BotConfig } from "../chat/broker-config.ts";
import type { ChatState } from "../chat/chat-state.ts";
import type { UserPlace } from "../control/user-place.ts";
import { DISCORD_API_URL } from "../discord/create-link.ts";
import type { LinkState } from "../discord/link.ts";
import { type Confinement, findConfinement } from "../tasks/confine.ts";
import { surveyOnce } from "./bot-places-checkup.ts";
import { type BotToken, botToken } from "./bot-token.ts";
import { botPlace } from "./broker-place.ts";
import type { BrokerSettings } from "./broker-settings.ts";
import type { DiscordHub } from "./discord-hub.ts";
import { herdConfigPath } from "./herd-config-file.ts";
import { type OpenBot, openBot, type OpenBotParts } from "./open-bot.ts";
import { createScale } from "./scale.ts";
import type { Wire } from "./wires.ts";

export interface BotCrewParts {
  place: UserPlace;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  hub: Pick<DiscordHub, "wireOf" | "isSweepChannel" | "sweepAt">;
  /** herd's own tools, for agents. */
  offer: OpenBotParts["offer"];
  subjects: OpenBotParts["subjects"];
  self: readonly string[];
  settings(): BrokerSettings;
  random(): number;
  onWarning(message: string): void;
}

export interface CrewBot {
  bot: OpenBot;
  wire: Wire;
  /** As configured now. */
  config(): BotConfig;
}

/** The bots that are open: those of the configuration, each with its token. */
export interface BotCrew extends AsyncDisposable {
  /**
   * Ends those that are configured no more or have another token, opens those that are not open.
   * One that goes takes its conversations along: they go on when it is there again.
   */
  fit(): Promise<void>;
  all(): readonly CrewBot[];
  /** Those that are configured and could not be opened, and why. */
  missing(): ReadonlyMap<string, string>;
}

interface Opened extends CrewBot {
  token: string;
  leave: ReturnType<Wire["join"]>;
}

export function createBotCrew(parts: BotCrewParts): BotCrew {
  const { clock, log, env, hub, settings } = parts;
  const bots = new Map<string, Opened>();
  const missing = new Map<string, string>();
  const over = new AbortController();

  async function fit(): Promise<void> {
    const now = settings();
    const wanted = new Map(now.broker.bots.map((config) => [config.name, config]));
    for (const name of missing.keys()) if (!wanted.has(name)) missing.delete(name);
    for (const [name, one] of [...bots]) {
      const config = wanted.get(name);
      const given = config === undefined ? undefined : tokenOf(config, now);
      if (given === undefined) await close(name, one, "is configured no more");
      else if ("unset" in given) lack(name, whyNot(given));
      else if ("twin" in given) await close(name, one, "has another bot's token");
      else if (given.text !== one.token) await close(name, one, "has a new token");
      else missing.delete(name);
    }
    // At once: one whose state is held by somebody else keeps no other waiting.
    const absent = now.broker.bots.filter(({ name }) => !bots.has(name));
    await Promise.all(absent.map((config) => tryToOpen(config, now)));
  }

  /** One bot that cannot be opened keeps no other from being there. */
  async function tryToOpen(config: BotConfig, now: BrokerSettings): Promise<void> {
    const { name } = config;
    const given = tokenOf(config, now);
    if (!("text" in given)) return lack(name, whyNot(given));
    try {
      const { wrap } = await findConfinement(env);
      bots.set(name, await open(config, given.text, wrap));
      missing.delete(name);
    } catch (error) {
      lack(name, explain(error, "terminal"));
    }
  }

  function lack(name: string, why: string): void {
    if (missing.get(name) === why) return;
    missing.set(name, why);
    const message = bots.has(name)
      ? `The bot "${name}" goes on with its old token: ${why}`
      : `The bot "${name}" is not on Discord: ${why}`;
    log.write("warn", message);
    parts.onWarning(`broker: ${message}`);
  }

  async function open(first: BotConfig, token: string, wrap: Confinement["wrap"]): Promise<Opened> {
    const { name } = first;
    const wire = hub.wireOf(token, env);
    let last = first;
    const config = () => last = settings().broker.bots.find((one) => one.name === name) ?? last;
    try {
      const bot = await openBot({
        ...{ settings, config, clock, log, wrap, fetch },
        place: botPlace(parts.place.folder, name),
        link: wire.link,
        random: parts.random,
        scale: createScale({ self: parts.self, log }),
        origins: originsOf(env["DISCORD_API_URL"] || DISCORD_API_URL),
        siblings: () =>
          [...bots.values()].flatMap((one) => one.bot.name === name ? [] : one.bot.me() ?? []),
        home: dirname(herdConfigPath(env)),
        isSweeps: (channelId) => hub.isSweepChannel(wire, channelId),
        sweepAt: hub.sweepAt,
        subjects: parts.subjects,
        offer: parts.offer,
      });
      const survey = surveyOnce({
        ...{ config, rest: wire.link.rest, signal: over.signal, log },
        onWarning: (message) => parts.onWarning(`broker: ${message}`),
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
          given.kind === "button" ? bot.desk.interactions.isOurs(given) : given.name !== "cost" &&
            (given.name === "whereami" || isHeldAt(bot.state(), given.channelId)),
        onInteraction: bot.surface.interact,
        onCommandsRefused: (_, why) =>
          parts.onWarning(`broker: no slash commands for "${name}": ${why}`),
      });
      bot.start();
      const conversations = bot.state().conversations.size;
      log.write("info", "A bot converses", { bot: name, conversations });
      return { bot, wire, token, leave, config };
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

  async function close(
    name: string,
    { bot, leave }: Opened,
    why: string,
    how?: "forGood",
  ): Promise<void> {
    bots.delete(name);
    await bot[Symbol.asyncDispose]();
    await leave(how);
    log.write("info", `The bot "${name}" is closed: it ${why}`);
  }

  return {
    fit,
    // In the order of the configuration, whichever was open first.
    all() {
      const order = bots.size === 0 ? [] : settings().broker.bots;
      return order.flatMap(({ name }) => bots.get(name) ?? []);
    },
    missing: () => missing,
    async [Symbol.asyncDispose]() {
      over.abort();
      for (const [name, one] of [...bots]) await close(name, one, "ends with the daemon");
    },
  };
}

function tokenOf(config: BotConfig, { broker, env }: BrokerSettings): BotToken {
  return botToken(config, broker.bots, env);
}

function whyNot(lack: Exclude<BotToken, { text: string }>): string {
  return "unset" in lack ? `${lack.unset} is not set` : `it has the same token as "${lack.twin}"`;
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
