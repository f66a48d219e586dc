import { existsSync, readFileSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import { readIfThere, replaceFile } from "../base/files.ts";
import type { Finding } from "../base/finding.ts";
import type { Log } from "../base/log.ts";
import { cleanToken, tokenMistake } from "../discord/bot-token.ts";
import { checkDiscord } from "../discord/check-discord.ts";
import { DISCORD_API_URL } from "../discord/create-link.ts";
import { createDiscordRest } from "../discord/create-rest.ts";
import { DiscordError } from "../discord/discord-error.ts";
import { inviteUrl } from "../discord/permissions.ts";
import { proxyFor } from "../discord/proxy.ts";
import type { DiscordRest } from "../discord/rest.ts";
import { openChannelMemory } from "../store/channel-memory.ts";
import { readDotenv } from "../store/dotenv.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { findWorkspace } from "../store/workspace.ts";
import type { DiscordSettings } from "../sweep/config.ts";
import { editYaml } from "../sweep/edit-yaml.ts";
import { readSweepFile } from "./sweep-file.ts";

export interface DiscordOfficeParts {
  workspace: string;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/** What `herd discord` does before any daemon runs: it looks at the bot, and writes the set-up down. */
export interface DiscordOffice {
  /** "" when there is none in the environment or in `.env`. */
  token(): string;
  settings(): DiscordSettings;
  check(): Promise<{ findings: readonly Finding[]; invite: string | undefined }>;
  /** Who the bot of a token is. Throws UserError for a token that Discord refuses. */
  introduce(token: string): Promise<BotFacts>;
  /** Into `.env`, which nobody else may read then; into the YAML, with its comments kept. */
  keepToken(token: string): void;
  keepGuild(guildId: string): void;
}

export interface BotFacts {
  name: string;
  invite: string;
  messageContent: boolean;
  guilds: readonly { id: string; name: string }[];
}

export function openDiscordOffice(parts: DiscordOfficeParts): DiscordOffice {
  const paths: WorkspacePaths = findWorkspace(parts.workspace);
  let values = environment();

  function environment(): Record<string, string> {
    const given = Object.entries(parts.env).filter((one): one is [string, string] =>
      one[1] !== undefined
    );
    return { ...readDotenv(paths.env).values, ...Object.fromEntries(given) };
  }

  function apiUrl(): string {
    return values["DISCORD_API_URL"] || DISCORD_API_URL;
  }

  async function withRest<T>(token: string, use: (rest: DiscordRest) => Promise<T>): Promise<T> {
    await using rest = createDiscordRest({
      token: cleanToken(token),
      baseUrl: apiUrl(),
      proxy: proxyFor(apiUrl(), values),
      clock: parts.clock,
      log: parts.log,
      random: Math.random,
    });
    return await use(rest);
  }

  const token = () => values["DISCORD_BOT_TOKEN"] ?? "";
  const settings = () => readSweepFile(paths.config).config.discord;

  return {
    token,
    settings,
    async check() {
      const { guildId, channelId } = settings();
      const remembered = existsSync(paths.discord)
        ? openChannelMemory({ path: paths.discord, onProblem: () => {} }).read().channelId
        : undefined;
      return await withRest(token(), async (rest) => ({
        findings: await checkDiscord({
          token: token(),
          guildId,
          channelId: channelId ?? remembered,
          rest,
          proxy: proxyFor(apiUrl(), values),
          signal: parts.signal,
        }),
        invite: await rest.application(parts.signal).then(
          ({ id }) => inviteUrl(id, guildId),
          () => undefined,
        ),
      }));
    },
    async introduce(text) {
      const mistake = tokenMistake(text);
      if (mistake !== undefined) throw new UserError(mistake.detail, { hint: mistake.hint });
      try {
        return await withRest(text, async (rest) => {
          const { name } = await rest.me(parts.signal);
          const { id, messageContent } = await rest.application(parts.signal);
          return {
            name,
            invite: inviteUrl(id),
            messageContent,
            guilds: await rest.guilds(parts.signal),
          };
        });
      } catch (error) {
        if (!(error instanceof DiscordError)) throw error;
        throw new UserError(error.message, {
          hint: error.kind === "unauthorized"
            ? "Reset the token on the page Bot of the Developer Portal, and copy it whole"
            : "See whether this machine reaches discord.com, perhaps through HTTPS_PROXY",
          cause: error,
        });
      }
    },
    keepToken(text) {
      const before = readIfThere(paths.env) ?? "";
      const line = `DISCORD_BOT_TOKEN=${cleanToken(text)}`;
      const pattern = /^\s*(?:export\s+)?DISCORD_BOT_TOKEN\s*=.*$/m;
      const after = pattern.test(before)
        ? before.replace(pattern, () => line)
        : `${before}${before === "" || before.endsWith("\n") ? "" : "\n"}${line}\n`;
      replaceFile(paths.env, after, 0o600);
      values = environment();
    },
    keepGuild(guildId) {
      const text = readFileSync(paths.config, "utf8");
      const edited = editYaml(text, [{ path: ["discord", "guild_id"], value: guildId }]);
      replaceFile(paths.config, edited);
    },
  };
}
