import { createHash } from "node:crypto";
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { RefusedError, UserError } from "../base/errors.ts";
import { readIfThere, replaceFile } from "../base/files.ts";
import { userName } from "../base/user-name.ts";
import { userPlace } from "../control/user-place.ts";
import { layGrounds, surveyGrounds } from "../discord/pool-grounds.ts";
import type { Grounds, GroundsWish } from "../discord/pool-grounds.ts";
import { openPoolMemory } from "../store/pool-memory.ts";
import { hasSection, putSection } from "../sweep/put-section.ts";
import { yamlText } from "../sweep/yaml-text.ts";
import type { Plain, PlainMapping } from "../sweep/yaml-text.ts";
import { poolSection } from "../tasks/pool-section.ts";
import type { DiscordDraft, PoolDraft } from "../tasks/pool-section.ts";
import { readHerdConfig } from "./read-herd-config.ts";
import { explained, introduceBot, withDiscord } from "./introduce-bot.ts";
import type { BotFacts, DiscordAsked } from "./introduce-bot.ts";
import { poolPlace } from "./pool-place.ts";
import { herdConfigPath } from "./herd-config-file.ts";

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
export interface PoolSetup {
  path: string;
  /** Throws RefusedError where a section is that was not to be replaced, UserError for what is no YAML. */
  begin(force: boolean): void;
  introduce(token: string): Promise<BotFacts>;
  /** Changes nothing. Throws UserError with everything that keeps it from working. */
  prepare(wish: PoolSetupWish): Promise<PoolSetupPlan>;
  carryOut(plan: PoolSetupPlan): Promise<PoolSetupOutcome>;
}

const HEAD = "# herd's own configuration. docs/pool-config.md says what each key means.\n\n";
const HIDDEN = "(not shown)";
const SECRETS: readonly string[] = ["token", "api_key"];

export function openPoolSetup(asked: DiscordAsked): PoolSetup {
  const { env, signal } = asked;
  const path = herdConfigPath(env);
  /** As it was when its section was looked for. */
  let before = "";

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
    const text = yamlText({ pool: section }, notes);
    const shown = yamlText({ pool: withoutSecrets(section) }, notes);
    const file = putSection(before === "" ? HEAD : before, path, { name: "pool", text });
    const { notices } = readHerdConfig(file, path, env, ["pool"]);
    return { file, shown, notices: notices.map(({ message }) => message) };
  }

  return {
    path,
    begin(force) {
      before = readIfThere(path) ?? "";
      if (hasSection(before, path, "pool") && !force) {
        throw new RefusedError(
          `Cannot set up the pool: "${path}" has a section "pool" already`,
          {
            hint: "`herd pool check` looks at it; --force replaces it, and keeps the file as it " +
              `is now as "${path}.before-setup"`,
          },
        );
      }
    },
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
      const { file } = compose(wish, draft);
      return { path, before: write(path, before, file), channels };
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

/** Returns where the former file is kept, when it had a section of its own. */
function write(path: string, before: string, file: string): string | undefined {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if ((readIfThere(path) ?? "") !== before) {
    throw new RefusedError(`Cannot write "${path}": somebody changed it meanwhile`, {
      hint: "Run it again",
    });
  }
  // Where it is a link, as in a folder of dotfiles, it stays one.
  const target = existsSync(path) ? realpathSync(path) : path;
  const kept = hasSection(before, path, "pool") ? `${path}.before-setup` : undefined;
  if (kept !== undefined) replaceFile(kept, before, 0o600);
  replaceFile(target, file, 0o600);
  return kept;
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

function withoutSecrets(tree: PlainMapping): PlainMapping {
  const hidden = (key: string, value: Plain | undefined): Plain | undefined => {
    if (value !== undefined && SECRETS.includes(key)) return HIDDEN;
    return typeof value === "object" && !Array.isArray(value)
      ? withoutSecrets(value as PlainMapping)
      : value;
  };
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [key, hidden(key, value)]),
  );
}

function refusal(problems: readonly string[]): UserError {
  const [first = "", ...more] = problems;
  if (more.length === 0) return new UserError(first);
  return new UserError(`Cannot set up the pool on Discord: ${problems.length} things are wrong`, {
    mistakes: problems.map((message) => ({ message })),
  });
}
