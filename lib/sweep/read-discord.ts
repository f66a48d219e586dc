import type { DiscordSettings } from "./config.ts";
import { type Fields, readFields, readItems, readText, readWhole, wrong } from "./fields.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

const KEYS = [
  "guild_id",
  "channel_id",
  "channel_name",
  "dashboard_refresh_seconds",
  "operators",
  "viewers",
] as const;
const LONGEST_NAME = 100;

export const DISCORD_DEFAULTS: DiscordSettings = {
  guildId: undefined,
  channelId: undefined,
  channelName: undefined,
  dashboardRefreshSeconds: 60,
  operators: undefined,
  viewers: undefined,
};

/** The section `discord`. */
export function readDiscord(node: Node, report: Report): DiscordSettings | undefined {
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const refresh = fields.get("dashboard_refresh_seconds")?.value;
  const seconds = refresh === undefined
    ? DISCORD_DEFAULTS.dashboardRefreshSeconds
    : readWhole(refresh, report, { least: 0, most: 86_400 });
  return {
    guildId: readId(fields, "guild_id", report),
    channelId: readId(fields, "channel_id", report),
    channelName: readName(fields, report),
    dashboardRefreshSeconds: seconds ?? DISCORD_DEFAULTS.dashboardRefreshSeconds,
    operators: readPeople(fields, "operators", report),
    viewers: readPeople(fields, "viewers", report),
  };
}

/** Ids of users and roles; nobody when the list is empty. */
function readPeople(fields: Fields, key: string, report: Report): readonly string[] | undefined {
  const node = fields.get(key)?.value;
  if (node === undefined) return undefined;
  const items = readItems(node, report, 'ids of users and roles such as ["1234567890123456789"]');
  if (items === undefined) return undefined;
  if (items.length === 0) {
    const may = key === "operators" ? "act from Discord" : "look from Discord but the operators";
    report.notice(node, `${node.path} is empty: nobody may ${may}`);
  }
  const ids: string[] = [];
  for (const item of items) {
    const id = readPerson(item, report);
    if (id === undefined) continue;
    if (ids.includes(id)) report.notice(item, `${node.path}: "${id}" is there twice`);
    else ids.push(id);
  }
  return ids;
}

/** As digits, or as Discord shows it in a message: `<@123>`, `<@&123>`. */
function readPerson(node: Node, report: Report): string | undefined {
  const id = node.kind === "scalar" ? /^(?:<@[!&]?)?(\d{1,20})>?$/.exec(node.text)?.[1] : undefined;
  if (node.kind !== "scalar" || id === undefined) {
    return wrong(node, report, 'an id of digits in quotes such as "1234567890123456789"');
  }
  if (node.plain) report.notice(node, `Read ${node.path} as text: write "${id}" in quotes`);
  return id;
}

/** Ids are beyond 2^53: as numbers they would lose digits, so the file's own text is taken. */
function readId(fields: Fields, key: string, report: Report): string | undefined {
  const node = fields.get(key)?.value;
  if (node === undefined || isEmptyText(node)) return undefined;
  if (node.kind !== "scalar" || !/^\d{1,20}$/.test(node.text)) {
    return wrong(node, report, 'an id of digits in quotes such as "1234567890123456789"');
  }
  if (node.plain) {
    report.notice(node, `Read ${node.path} as text: write "${node.text}" in quotes`);
  }
  return node.text;
}

function readName(fields: Fields, report: Report): string | undefined {
  const node = fields.get("channel_name")?.value;
  if (node === undefined || isEmptyText(node)) return undefined;
  const text = readText(node, report);
  if (text === undefined || text.length <= LONGEST_NAME) return text;
  return wrong(node, report, `at most ${LONGEST_NAME} characters`);
}

/** HyperHerd took "" for "not given". */
function isEmptyText(node: Node): boolean {
  return node.kind === "scalar" && node.text === "";
}
