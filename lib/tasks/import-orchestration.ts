import { UserError } from "../base/errors.ts";
import type { PlainMapping } from "../sweep/yaml-text.ts";
import { yamlText } from "../sweep/yaml-text.ts";
import type { Imported } from "./import-openclaw.ts";
import { CHANNEL_DEFAULTS } from "./pool-defaults.ts";

export interface ImportedOrchestration extends Imported {
  /** The coordinator's bot: name of its variable, and the token. Never print the token. */
  token: { variable: string; text: string } | undefined;
  /** Variables with the tokens of workers' own bots. */
  workers: readonly string[];
}

/** Newer versions call the submitter's bot by the second name. */
const SUBMITTER = ["CHIP_TOKEN", "ORCHESTRATOR_AGENT_TOKEN"] as const;
const CHANNELS = [
  ["queue", "TASK_QUEUE_CHANNEL"],
  ["results", "RESULTS_CHANNEL"],
  ["workers", "WORKER_POOL_CHANNEL"],
] as const;
const ID = /^\d{15,20}$/;
/** What has no counterpart, and why none is needed. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  POLL_INTERVAL: "nothing is polled for tasks, so there is no interval",
  MAX_IDLE_TIME: "a worker without work stays",
  WORKER_ID: "a worker is named by `herd worker --name`",
  BOT_TOKEN: "a worker is given the variable of its token by `herd worker --token-env`",
  OPENCLAW_STATE_DIR: "each worker has a folder of its own by itself",
  AGENT_CONFIG: "`pool.backends` says what an agent is",
};

/** Whether an environment file is discord-orchestration's. */
export function isOrchestration(values: Readonly<Record<string, string>>): boolean {
  const known = [...SUBMITTER, "GUILD_ID", ...CHANNELS.map(([, name]) => name)];
  return known.some((name) => Object.hasOwn(values, name));
}

/**
 * The part `discord` of the section `pool` from what a `discord-config.env` of
 * discord-orchestration sets. The file names the token's variable; the token is in none of it.
 * Throws UserError when it lacks the server.
 */
export function importOrchestration(
  values: Readonly<Record<string, string>>,
): ImportedOrchestration {
  const notices: string[] = [];
  const guild = values["GUILD_ID"]?.trim() ?? "";
  if (!ID.test(guild)) {
    throw new UserError(
      "Cannot import the configuration of discord-orchestration: GUILD_ID is no id of a server",
      { hint: 'It is a line such as GUILD_ID="1234567890123456789"' },
    );
  }
  const variable = SUBMITTER.find((name) => isToken(values[name]));
  const token = variable === undefined ? undefined : { variable, text: values[variable]!.trim() };
  if (token === undefined) {
    notices.push(`Found no token in ${SUBMITTER.join(" or ")}: give the variable that holds it`);
  }
  const workers = Object.keys(values).filter((name) =>
    /^WORKER\d+_TOKEN$/.test(name) && isToken(values[name])
  );
  if (workers.length > 0) {
    notices.push(
      `Left out ${
        workers.join(", ")
      }: one bot is enough for the pool. Workers that reach nothing ` +
        "but Discord use them: `herd pool enrol NAME --via discord`",
    );
  }
  sayOthers(values, notices);
  const section = {
    discord: {
      guild_id: guild,
      token_env: token?.variable,
      channels: channelsOf(values, notices),
    },
  };
  return { section, yaml: yamlText({ pool: section }), notices, token, workers };
}

function channelsOf(
  values: Readonly<Record<string, string>>,
  notices: string[],
): PlainMapping {
  return Object.fromEntries(CHANNELS.map(([place, name]) => {
    const id = values[name]?.trim() ?? "";
    if (ID.test(id)) return [place, id];
    notices.push(`Found no id of a channel in ${name}: took the name "${CHANNEL_DEFAULTS[place]}"`);
    return [place, CHANNEL_DEFAULTS[place]];
  }));
}

function sayOthers(values: Readonly<Record<string, string>>, notices: string[]): void {
  for (const name of Object.keys(values)) {
    const why = Object.hasOwn(LEFT_OUT, name) ? LEFT_OUT[name] : undefined;
    if (why !== undefined) notices.push(`Left out ${name}: ${why}`);
  }
  const known: readonly string[] = [...SUBMITTER, "GUILD_ID", ...CHANNELS.map(([, name]) => name)];
  const unknown = Object.keys(values).filter((name) =>
    !known.includes(name) && !Object.hasOwn(LEFT_OUT, name) && !/^WORKER\d+_TOKEN$/.test(name) &&
    /^\w{1,80}$/.test(name)
  );
  if (unknown.length > 0) notices.push(`Left out what herd does not know: ${unknown.join(", ")}`);
}

/** Not what stands in an example. */
function isToken(text: string | undefined): boolean {
  return text !== undefined && /^[\x21-\x7e]{20,200}$/.test(text.trim()) &&
    !/^(your-|FAKE_)/i.test(text.trim());
}
