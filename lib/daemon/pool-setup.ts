import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { UserError } from "../base/errors.ts";
import { userName } from "../base/user-name.ts";
import { userPlace } from "../control/user-place.ts";
import { layGrounds, surveyGrounds } from "../discord/pool-grounds.ts";
import type { Grounds, GroundsWish } from "../discord/pool-grounds.ts";
import { openPoolMemory } from "../store/pool-memory.ts";
import { poolSection } from "../tasks/pool-section.ts";
import type { DiscordDraft, PoolDraft } from "../tasks/pool-section.ts";
import { type ConfigSection, openConfigSection } from "./config-section.ts";
import { explained, introduceBot, withDiscord } from "./introduce-bot.ts";
import type { BotFacts, DiscordAsked } from "./introduce-bot.ts";
import { poolPlace } from "./pool-place.ts";

type Env = DiscordAsked["env"];
type Channels = GroundsWish["channels"];

export interface PoolSetupWish {
  discord: {
    bot: BotFacts;
    /** Never print it. */
    token: string;
    /** How the file has it. */
    kept: { env: string } | { text: string };
    guildId: string;
    /** Names, or ids. */
    channels: Channels;
    authors: readonly string[] | undefined;
    operators: readonly string[] | undefined;
    /** Channels that are made are for authors and operators alone. */
    isPrivate: boolean;
    workerBots: readonly string[];
  } | undefined;
  usdPerDay: number | undefined;
  parts: PoolDraft["parts"];
}

export interface PoolSetupPlan {
  wish: PoolSetupWish;
  grounds: Grounds | undefined;
  /** The section without secrets, for people. */
  shown: string;
  notices: readonly string[];
}

export interface PoolSetupOutcome {
  path: string;
  /** Where the former file is, when it had such a section. */
  before: string | undefined;
  channels: DiscordDraft["channels"] | undefined;
}

/** What `herd pool setup` does beside asking: it looks, makes channels, and writes the file. */
export interface PoolSetup extends Pick<ConfigSection, "path" | "begin"> {
  introduce(token: string): Promise<BotFacts>;
  /** Changes nothing. Throws UserError with everything that keeps it from working. */
  prepare(wish: PoolSetupWish): Promise<PoolSetupPlan>;
  carryOut(plan: PoolSetupPlan): Promise<PoolSetupOutcome>;
}

export function openPoolSetup(asked: DiscordAsked): PoolSetup {
  const { env, signal } = asked;
  const file = openConfigSection("pool", env);
  const { path } = file;

  function groundsWish(discord: NonNullable<PoolSetupWish["discord"]>): GroundsWish {
    const { bot, guildId, channels, authors = [], operators = [], workerBots } = discord;
    return {
      guildId,
      applicationId: bot.applicationId,
      me: bot.id,
      channels,
      marks: marksOf(bot.id, path, env),
      only: discord.isPrivate ? { people: [...authors, ...operators], workerBots } : undefined,
    };
  }

  function compose(wish: PoolSetupWish, grounds: DiscordDraft | undefined) {
    const { section, notes } = poolSection({
      discord: grounds,
      usdPerDay: wish.usdPerDay,
      parts: wish.parts,
    });
    return file.compose(section, notes);
  }

  return {
    path,
    begin: file.begin,
    introduce: (token) => introduceBot(token, asked),
    async prepare(wish) {
      const { discord } = wish;
      const grounds = discord === undefined
        ? undefined
        : await explained(() =>
          withDiscord(discord.token, asked, (rest) =>
            surveyGrounds(rest, groundsWish(discord), signal))
        );
      if (grounds !== undefined && grounds.problems.length > 0) throw refusal(grounds.problems);
      const draft = discord === undefined ? undefined : draftOf(
        discord,
        grounds!,
        Object.fromEntries(
          grounds!.grounds.map(({ place, name, channel }) => [
            place,
            { id: channel?.id ?? name, name },
          ]),
        ) as DiscordDraft["channels"],
      );
      const { shown, notices } = compose(wish, draft);
      return { wish, grounds, shown, notices: [...grounds?.notices ?? [], ...notices] };
    },
    async carryOut({ wish, grounds }) {
      const { discord } = wish;
      const channels = discord === undefined
        ? undefined
        : await explained(() =>
          withDiscord(discord.token, asked, (rest) =>
            layGrounds(rest, grounds!, groundsWish(discord), signal))
        );
      const draft = discord === undefined ? undefined : draftOf(discord, grounds!, channels!);
      return { path, before: file.write(compose(wish, draft).file), channels };
    },
  };
}

function draftOf(
  { kept, authors, operators }: NonNullable<PoolSetupWish["discord"]>,
  { guild }: Grounds,
  channels: DiscordDraft["channels"],
): DiscordDraft {
  return { guild: { id: guild.id, name: guild.name }, token: kept, channels, authors, operators };
}

/**
 * The same for each set-up of one configuration with one bot, so that a second one finds what the
 * first has made; and what the daemon writes of its own.
 */
export function marksOf(bot: string, path: string, env: Env): [string, ...string[]] {
  const seed = `${bot}\n${userName()}\n${path}`;
  const own = `p${createHash("sha256").update(seed).digest("hex").slice(0, 11)}`;
  const memory = poolPlace(userPlace(env, process.getuid?.() ?? 0, hostname()).folder).discord;
  if (!existsSync(memory)) return [own];
  return [own, openPoolMemory({ path: memory, onProblem: () => {} }).read().mark];
}

function refusal(problems: readonly string[]): UserError {
  const [first = "", ...more] = problems;
  if (more.length === 0) return new UserError(first);
  return new UserError(`Cannot set up the pool on Discord: ${problems.length} things are wrong`, {
    mistakes: problems.map((message) => ({ message })),
  });
}
