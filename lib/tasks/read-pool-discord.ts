import {
  type Fields,
  missing,
  quote,
  readFields,
  readItems,
  readText,
  wrong,
} from "../sweep/fields.ts";
import { readToken } from "../sweep/read-token.ts";
import type { Report } from "../sweep/report.ts";
import type { MappingNode, Node } from "../sweep/yaml-node.ts";
import type { PoolDiscord } from "./pool-config.ts";
import { CHANNEL_DEFAULTS, TOKEN_VARIABLE } from "./pool-defaults.ts";

const KEYS = [
  "token",
  "token_env",
  "guild_id",
  "channels",
  "authors",
  "operators",
  "bots",
] as const;
const CHANNELS = ["queue", "results", "workers"] as const;
const ID = 'an id of digits in quotes such as "1234567890123456789"';

/** The section `pool.discord`. Ids are beyond 2^53, so the file's own text is taken. */
export function readPoolDiscord(node: Node, report: Report): PoolDiscord | undefined {
  if (node.kind !== "mapping") return wrong(node, report, 'a mapping with "guild_id"');
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const token = readPoolToken(fields, report);
  const guildId = readGuild(node, fields, report);
  const channels = readChannels(fields.get("channels")?.value, report);
  const authors = readPeople(fields, "authors", report, "submit a task from Discord");
  const operators = readPeople(fields, "operators", report, "act on others' tasks from Discord");
  const bots = readPeople(fields, "bots", report) ?? [];
  if (token === undefined || guildId === undefined || channels === undefined) return undefined;
  return { token, guildId, channels, authors, operators, bots };
}

const TOKEN_KEYS = {
  text: "token",
  variable: "token_env",
  example: TOKEN_VARIABLE,
  hint: `Copy it from Discord's developer portal, or name a variable with "token_env"`,
};

function readPoolToken(fields: Fields, report: Report): PoolDiscord["token"] | undefined {
  const isTold = fields.get("token") !== undefined || fields.get("token_env") !== undefined;
  return isTold ? readToken(fields, TOKEN_KEYS, report) : { env: TOKEN_VARIABLE };
}

function readGuild(owner: MappingNode, fields: Fields, report: Report): string | undefined {
  const node = fields.get("guild_id")?.value;
  if (node === undefined) return missing(owner, "guild_id", `the server's id, ${ID}`, report);
  return readId(node, report, /^(\d{1,20})$/);
}

function readId(node: Node, report: Report, pattern: RegExp): string | undefined {
  const id = node.kind === "scalar" ? pattern.exec(node.text)?.[1] : undefined;
  if (node.kind !== "scalar" || id === undefined) return wrong(node, report, ID);
  if (node.plain) report.notice(node, `Read ${node.path} as text: write "${id}" in quotes`);
  return id;
}

function readChannels(
  node: Node | undefined,
  report: Report,
): PoolDiscord["channels"] | undefined {
  if (node === undefined) return CHANNEL_DEFAULTS;
  const fields = readFields(node, CHANNELS, report);
  if (fields === undefined) return undefined;
  const channels = { ...CHANNEL_DEFAULTS };
  for (const key of CHANNELS) {
    const value = fields.get(key)?.value;
    const channel = value === undefined ? channels[key] : readChannel(value, report);
    if (channel === undefined) return undefined;
    const other = CHANNELS.find((one) => one !== key && channels[one] === channel);
    if (other !== undefined && value !== undefined && fields.has(other)) {
      return report.mistake(
        value,
        `Cannot use ${quote(channel)} for ${key} and ${other}: each is a channel of its own`,
      );
    }
    channels[key] = channel;
  }
  const all = Object.values(channels);
  const twice = all.find((channel, i) => all.indexOf(channel) < i);
  return twice === undefined
    ? channels
    : report.mistake(node, `Cannot use the channel ${quote(twice)} for two things`);
}

/** An id, or a name as Discord has it: `#Task Queue` becomes `task-queue`. */
function readChannel(node: Node, report: Report): string | undefined {
  const text = readText(node, report);
  if (text === undefined) return undefined;
  const id = /^(?:<#)?(\d{15,20})>?$/.exec(text)?.[1];
  if (id !== undefined) {
    if (node.kind === "scalar" && node.plain) {
      report.notice(node, `Read ${node.path} as text: write "${id}" in quotes`);
    }
    return id;
  }
  const name = text.replace(/^#/, "").trim().toLowerCase().replace(/\s+/g, "-");
  return /^[\p{L}\p{M}\p{N}\p{S}_-]{1,100}$/u.test(name)
    ? name
    : wrong(node, report, 'the name of a channel such as "task-queue", or its id in quotes');
}

/** Ids of users and roles, as digits or as Discord shows them in a message: `<@123>`, `<@&123>`. */
function readPeople(
  fields: Fields,
  key: "authors" | "operators" | "bots",
  report: Report,
  may?: string,
): readonly string[] | undefined {
  const node = fields.get(key)?.value;
  if (node === undefined) return undefined;
  const items = readItems(node, report, 'ids such as ["1234567890123456789"]');
  if (items?.length === 0 && may !== undefined) {
    report.notice(node, `${node.path} is empty: nobody may ${may}`);
  }
  const ids = (items ?? []).map((item) => readId(item, report, /^(?:<@[!&]?)?(\d{1,20})>?$/));
  return [...new Set(ids.filter((id) => id !== undefined))];
}
