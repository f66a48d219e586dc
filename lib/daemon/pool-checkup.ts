import { existsSync } from "node:fs";
import { basename, dirname, isAbsolute } from "node:path";
import { UserError } from "../base/errors.ts";
import { findProgram } from "../base/find-program.ts";
import type { Finding } from "../base/finding.ts";
import { readBackendConfig } from "../backends/backend-config.ts";
import { acpPreset } from "../backends/acp-presets.ts";
import { surveyGrounds } from "../discord/pool-grounds.ts";
import type { PlainMapping } from "../sweep/yaml-text.ts";
import type { PoolConfig, PoolDiscord } from "../tasks/pool-config.ts";
import { explained, introduceBot, withDiscord } from "./introduce-bot.ts";
import type { DiscordAsked } from "./introduce-bot.ts";
import { marksOf } from "./pool-setup.ts";
import { herdConfigPath } from "./herd-config-file.ts";

type Env = DiscordAsked["env"];

/** Whether this machine has what the backends' tasks need; workers on others have an environment of their own. */
export function checkBackends(
  { backends }: Pick<PoolConfig, "backends">,
  env: Env,
): readonly Finding[] {
  const area = "Backends";
  return Object.entries(backends).flatMap(([name, backend]): Finding[] => {
    const { kind, apiKeyEnv, apiKey, command, preset } = backend;
    const variable = typeof apiKeyEnv === "string"
      ? apiKeyEnv
      : kind === "anthropic" && apiKey === undefined
      ? "ANTHROPIC_API_KEY"
      : undefined;
    if (variable !== undefined && !env[variable]?.trim()) {
      return [{
        area,
        mark: "doubt",
        message: `The key of backend "${name}" is not here: ${variable} is not set`,
        mend: "Set it where workers are started, or put the key into the file as api_key",
      }];
    }
    const { preset: _, relay: __, ...plain } = backend;
    const read = preset === undefined ? readBackendConfig(plain) : undefined;
    if (read !== undefined && "refused" in read) {
      return [{ area, mark: "bad", message: `Backend "${name}" is mistaken: ${read.refused}` }];
    }
    const words = Array.isArray(command) ? command : acpPreset(`${preset}`)?.command ?? [];
    const program: unknown = words[0];
    if (typeof program === "string" && !isHere(program, env["PATH"] ?? "")) {
      return [{
        area,
        mark: "doubt",
        message: `The program of backend "${name}" is not on this machine: "${program}"`,
        mend: "Install it where workers run, or give its whole path",
      }];
    }
    const shown = [backend["reads"], backend["writes"]]
      .flatMap((paths) => Array.isArray(paths) ? paths : []);
    const missing = shown.find((path) => typeof path === "string" && !existsSync(path));
    if (missing !== undefined) {
      return [{
        area,
        mark: "doubt",
        message: `What backend "${name}" lets tasks reach is not on this machine: "${missing}"`,
        mend: "Make it where workers run, or take it out of reads and writes",
      }];
    }
    return [{ area, mark: "good", message: `Backend "${name}" has what it needs here` }];
  });
}

/** A path that is not absolute is one of the task's own folder: of that nothing is known yet. */
function isHere(program: string, path: string): boolean {
  if (!program.includes("/")) return findProgram(program, path) !== undefined;
  return !isAbsolute(program) || findProgram(basename(program), dirname(program)) !== undefined;
}

/** Token, intent, server, channels and rights, as Discord says now; it changes nothing. */
export async function checkPoolDiscord(
  discord: PoolDiscord,
  asked: DiscordAsked,
): Promise<readonly Finding[]> {
  const area = "Discord";
  const { env, signal } = asked;
  const token = "env" in discord.token ? env[discord.token.env]?.trim() ?? "" : discord.token.text;
  if (token === "") {
    const name = "env" in discord.token ? discord.token.env : "pool.discord.token";
    return [{ area, mark: "bad", message: `The bot's token is not here: ${name} is not set` }];
  }
  try {
    const bot = await introduceBot(token, asked);
    const wish = {
      guildId: discord.guildId,
      applicationId: bot.applicationId,
      me: bot.id,
      channels: discord.channels,
      marks: marksOf(bot.id, herdConfigPath(env), env),
      only: undefined,
    };
    if (!bot.guilds.some(({ id }) => id === discord.guildId)) {
      const message = `The bot "${bot.name}" is not in server "${discord.guildId}"`;
      return [{ area, mark: "bad", message, mend: `Invite it by ${bot.invite}` }];
    }
    const { guild, grounds, problems, notices } = await explained(() =>
      withDiscord(token, asked, (rest) => surveyGrounds(rest, wish, signal))
    );
    return [
      { area, mark: "good", message: `The bot is "${bot.name}", in server "${guild.name}"` },
      bot.messageContent ? { area, mark: "good", message: "MESSAGE CONTENT INTENT is on" } : {
        area,
        mark: "bad",
        message: "MESSAGE CONTENT INTENT is off: messages come without their words",
        mend: "discord.com/developers/applications → Bot → Privileged Gateway Intents",
      },
      ...problems.map((message): Finding => ({ area, mark: "bad", message })),
      ...notices.map((message): Finding => ({ area, mark: "doubt", message })),
      ...grounds.map(({ name, channel }): Finding => ({
        area,
        mark: "good",
        message: channel === undefined
          ? `Channel "#${name}" is not there yet: the daemon makes it`
          : `Channel "#${name}" is there`,
      })),
    ];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, hint } = error;
    return [{ area, mark: "bad", message, ...(hint === undefined ? {} : { mend: hint }) }];
  }
}

/** Variables that parts of the section name for keys. */
export function keyVariables(parts: readonly PlainMapping[]): readonly string[] {
  const names = parts.flatMap(({ backends }) =>
    Object.values((backends ?? {}) as PlainMapping).flatMap((backend) => {
      const name = (backend as PlainMapping)["api_key_env"];
      return typeof name === "string" ? name : [];
    })
  );
  return [...new Set(names)];
}
