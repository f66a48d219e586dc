import { isNull, quote, readFields, wrong } from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import type { Entry, MappingNode, Node } from "../sweep/yaml-node.ts";
import type { BotConfig, BrokerConfig } from "./broker-config.ts";
import { type AgentParts, openAgents } from "./read-broker-agents.ts";
import { BOT_KEYS, type BotParts, readBot } from "./read-broker-bot.ts";
import type { CronReading } from "./read-broker-cron.ts";

/** The name of the bot whose settings stand in the section itself. */
export const ONLY_BOT = "herd";

export interface BrokerParts extends AgentParts {
  cron: CronReading;
}

/** The section `broker`. What is wrong is in the report, and has its default here. */
export function readBrokerConfig(
  node: Node,
  parts: BrokerParts,
  report: Report,
): BrokerConfig | undefined {
  if (node.kind !== "mapping") return wrong(node, report, 'a mapping with "discord" or "bots"');
  const fields = readFields(node, ["agents", "bots", ...BOT_KEYS], report);
  if (fields === undefined) return undefined;
  const agents = openAgents(fields.get("agents")?.value, parts, report);
  const several = fields.get("bots")?.value;
  const told = several === undefined
    ? [[ONLY_BOT, own(node)] as const]
    : split(several, node, report);
  const bots = told.map(([name, bot]) => {
    const botParts: BotParts = { agents, cron: parts.cron, isOnly: told.length === 1 };
    return [bot, readBot(name, bot, botParts, report)] as const;
  });
  refuseSameToken(bots, report);
  return {
    bots: bots.map(([, bot]) => bot).filter((bot) => bot !== undefined),
    agents: agents.used(),
  };
}

/** The section itself as the only bot. */
function own(broker: MappingNode): MappingNode {
  return { ...broker, entries: broker.entries.filter(({ key }) => isBotKey(key)) };
}

/** Each with what stands in the section for all of them. */
function split(
  node: Node,
  broker: MappingNode,
  report: Report,
): (readonly [string, MappingNode])[] {
  if (node.kind !== "mapping" || node.entries.length === 0) {
    wrong(node, report, "a mapping of names to bots");
    return [];
  }
  const common = own(broker);
  for (const { key, value } of common.entries) {
    const token = key === "discord" && value.kind === "mapping" && node.entries.length > 1
      ? value.entries.find((entry) => /^bot_token(_env)?$/.test(entry.key))
      : undefined;
    if (token === undefined) continue;
    report.mistake(
      token.at,
      `Cannot use ${quote(token.key)} for all bots: each has a token of its own`,
      'Write it in the "discord" of each bot',
    );
  }
  return node.entries.map(({ key, at, value }) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(key)) {
      return report.mistake(
        at,
        `Cannot use ${quote(key)} as the name of a bot: ` +
          "expected 1 to 64 letters, digits, dots, underscores and hyphens",
      );
    }
    if (isNull(value)) return [key, { ...common, head: at }] as const;
    if (value.kind !== "mapping") return wrong(value, report, "a mapping of settings");
    return [key, merge(common, value)] as const;
  }).filter((one) => one !== undefined);
}

/** The bot's own settings win, key by key; an agent or a list is taken whole. */
function merge(common: MappingNode, bot: MappingNode): MappingNode {
  const rest = common.entries.filter(({ key }) => bot.entries.every((one) => one.key !== key));
  const entries = bot.entries.map((entry): Entry => {
    const shared = common.entries.find(({ key }) => key === entry.key)?.value;
    const { value } = entry;
    const both = shared?.kind === "mapping" && value.kind === "mapping" && entry.key !== "agent";
    return both ? { ...entry, value: merge(shared, value) } : entry;
  });
  return { ...bot, entries: [...entries, ...rest] };
}

/** Discord would hand each message to both, and both would answer. */
function refuseSameToken(
  bots: readonly (readonly [MappingNode, BotConfig | undefined])[],
  report: Report,
): void {
  const seen = new Map<string, string>();
  for (const [node, bot] of bots) {
    if (bot === undefined) continue;
    const token = JSON.stringify(bot.token);
    const other = seen.get(token);
    seen.set(token, bot.name);
    if (other === undefined) continue;
    report.mistake(
      node.head,
      `Cannot use one token for the bots "${other}" and "${bot.name}": each is an application of its own`,
    );
  }
}

function isBotKey(key: string): boolean {
  return BOT_KEYS.some((one) => one === key);
}
