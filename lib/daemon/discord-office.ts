import { existsSync, readFileSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { readIfThere, replaceFile } from "../base/files.ts";
import type { Finding } from "../base/finding.ts";
import type { Log } from "../base/log.ts";
import { cleanToken } from "../discord/bot-token.ts";
import { checkDiscord } from "../discord/check-discord.ts";
import { inviteUrl } from "../discord/permissions.ts";
import { proxyFor } from "../discord/proxy.ts";
import { openChannelMemory } from "../store/channel-memory.ts";
import { readDotenv } from "../store/dotenv.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { findWorkspace } from "../store/workspace.ts";
import type { DiscordSettings } from "../sweep/config.ts";
import { editYaml } from "../sweep/edit-yaml.ts";
import { discordUrl, introduceBot, withDiscord } from "./introduce-bot.ts";
import type { BotFacts } from "./introduce-bot.ts";
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

export function openDiscordOffice(parts: DiscordOfficeParts): DiscordOffice {
  const paths: WorkspacePaths = findWorkspace(parts.workspace);
  let values = environment();

  function environment(): Record<string, string> {
    const given = Object.entries(parts.env).filter((one): one is [string, string] =>
      one[1] !== undefined
    );
    return { ...readDotenv(paths.env).values, ...Object.fromEntries(given) };
  }

  const asked = () => ({ env: values, clock: parts.clock, log: parts.log, signal: parts.signal });

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
      return await withDiscord(token(), asked(), async (rest) => ({
        findings: await checkDiscord({
          token: token(),
          guildId,
          channelId: channelId ?? remembered,
          rest,
          proxy: proxyFor(discordUrl(values), values),
          signal: parts.signal,
        }),
        invite: await rest.application(parts.signal).then(
          ({ id }) => inviteUrl(id, guildId),
          () => undefined,
        ),
      }));
    },
    introduce: (text) => introduceBot(text, asked()),
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
