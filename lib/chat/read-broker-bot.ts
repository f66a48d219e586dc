import { missing, readBoolean, readFields, wrong } from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import type { MappingNode, Node } from "../sweep/yaml-node.ts";
import type { BotConfig } from "./broker-config.ts";
import { BOT_TOKEN_VARIABLE } from "./broker-defaults.ts";
import type { Agents } from "./read-broker-agents.ts";
import { type CronReading, readBrokerCron } from "./read-broker-cron.ts";
import {
  readAttachmentLimits,
  readBrokerBudget,
  readSessionLimits,
  readTurnLimits,
} from "./read-broker-limits.ts";
import { readPermissions } from "./read-broker-permissions.ts";
import { readBrokerRules } from "./read-broker-rules.ts";
import { readAnswers, readReactions } from "./read-broker-shown.ts";
import { readSpeechToText } from "./read-broker-stt.ts";
import { readProjects, readWorkspace } from "./read-broker-workspace.ts";

/** What a bot has, and what several may have in common. */
export const BOT_KEYS = [
  "enabled",
  "discord",
  "agent",
  "model",
  "instructions",
  "workspace",
  "projects",
  "permissions",
  "limits",
  "pool",
  "budget",
  "attachments",
  "reactions",
  "answers",
  "markdown",
  "stt",
  "cron",
] as const;
const LONGEST_INSTRUCTIONS = 20_000;

export interface BotParts {
  agents: Agents;
  cron: CronReading;
  /** Several bots need a token each; one has a usual variable. */
  isOnly: boolean;
}

/** Undefined when it could not be read, or is switched off. */
export function readBot(
  name: string,
  node: MappingNode,
  { agents, cron, isOnly }: BotParts,
  report: Report,
): BotConfig | undefined {
  const fields = readFields(node, BOT_KEYS, report);
  const at = (key: typeof BOT_KEYS[number]) => fields?.get(key)?.value;
  const enabled = at("enabled");
  const isOn = enabled === undefined ? true : readBoolean(enabled, report);
  const { token: told, rules, dispatch } = readBrokerRules(at("discord"), node, report);
  const token = told ?? usualToken(node, at("discord"), isOnly, report);
  const spot = node.head;
  const agent = agents.choose({ agent: at("agent"), model: at("model") }, { name, spot });
  const bot = {
    name,
    rules,
    dispatch,
    instructions: readInstructions(at("instructions"), report),
    workspace: readWorkspace(at("workspace"), report),
    projects: readProjects(
      at("projects"),
      (agent, model) => agents.choose({ agent, model }, { name: `${name}-project`, spot }),
      report,
    ),
    permissions: readPermissions(at("permissions"), report),
    limits: readTurnLimits(at("limits"), report),
    pool: readSessionLimits(at("pool"), report),
    budget: readBrokerBudget(at("budget"), report),
    attachments: readAttachmentLimits(at("attachments"), report),
    reactions: readReactions(at("reactions"), report),
    answers: readAnswers(at("answers"), at("markdown"), report),
    stt: readSpeechToText(at("stt"), report),
    cron: readBrokerCron(at("cron"), cron, report),
  };
  if (isOn !== true || token === undefined || agent === undefined) return undefined;
  return { ...bot, token, agent };
}

function usualToken(
  owner: MappingNode,
  discord: Node | undefined,
  isOnly: boolean,
  report: Report,
): BotConfig["token"] | undefined {
  const isTold = discord?.kind === "mapping" &&
    discord.entries.some(({ key }) => /^bot_token(_env)?$/.test(key));
  if (isTold) return undefined;
  if (isOnly) return { env: BOT_TOKEN_VARIABLE };
  return missing(
    discord?.kind === "mapping" ? discord : owner,
    "bot_token",
    "a token of its own for each bot, or bot_token_env",
    report,
  );
}

/** It may have several lines. */
function readInstructions(node: Node | undefined, report: Report): string | undefined {
  if (node === undefined) return undefined;
  const text = node.kind === "scalar" ? node.text.trim() : "";
  return text !== "" && text.length <= LONGEST_INSTRUCTIONS && text.isWellFormed()
    ? text
    : wrong(node, report, `a text of at most ${LONGEST_INSTRUCTIONS} characters`);
}
