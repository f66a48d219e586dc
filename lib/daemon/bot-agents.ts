import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type BackendConfig, readBackendConfig } from "../backends/backend-config.ts";
import { createConverser } from "../backends/create-converser.ts";
import type { Tool } from "../agent/tool.ts";
import type { ToolOffer } from "../backends/converser-parts.ts";
import type { Clock } from "../base/clock.ts";
import type { AgentSession, PermissionRequest } from "../chat/agent-session.ts";
import type { AgentChoice, BotConfig } from "../chat/broker-config.ts";
import type { Conversation } from "../chat/chat-state.ts";
import type { TurnFailure } from "../chat/turn.ts";
import { agentEnvironment } from "../tasks/attempt-environment.ts";
import type { WrapSandbox } from "../tasks/wrap-sandbox.ts";
import type { Said } from "../chat/agent-session.ts";
import type { BotFolder } from "./bot-folders.ts";
import type { BrokerSettings } from "./broker-settings.ts";
import { withPreset } from "./preset.ts";

export interface BotAgentsParts {
  settings(): BrokerSettings;
  config(): BotConfig;
  env(): Readonly<Record<string, string | undefined>>;
  clock: Clock;
  wrap: WrapSandbox;
  /** The same in each life of this bot, and of no other. */
  mark: string;
  permission(
    conversation: string,
    request: PermissionRequest,
    signal: AbortSignal,
  ): Promise<"once" | "always" | "deny">;
  log(conversation: string, text: string): void;
  /** herd's own, for this conversation. */
  toolsOf(conversation: Conversation): readonly Tool[];
  offer(tools: readonly Tool[]): Promise<ToolOffer | undefined>;
}

export interface OpenAgent {
  conversation: Conversation;
  place: BotFolder;
  instructions: string;
  earlier: readonly Said[];
  signal: AbortSignal;
}

/** Begins an agent for a conversation, or takes it up again. Never throws. */
export type OpenBotAgent = (
  wish: OpenAgent,
) => Promise<AgentSession | { failed: TurnFailure }>;

export function createBotAgents(parts: BotAgentsParts): OpenBotAgent {
  return async ({ conversation, place, instructions, earlier, signal }) => {
    const { id, sessionId, options, turns } = conversation;
    const choice = agentOf(conversation, parts.config());
    const config = configOf(choice, place, parts.settings());
    if ("refused" in config) return { failed: refused(config.refused) };
    const converser = converserFor(config, choice, conversation, parts);
    if ("refused" in converser) return { failed: refused(converser.refused) };
    const isNew = turns <= 1 && sessionId === undefined && earlier.length === 0;
    const session = await converser.open({
      conversation: id,
      folder: place.folder,
      instructions,
      earlier: isNew ? undefined : { sessionId, transcript: earlier },
      signal,
      hooks: {
        permission: (request, ended) => parts.permission(id, request, ended),
        log: (text) => parts.log(id, text),
      },
    });
    if ("failed" in session) return session;
    for (const [option, value] of Object.entries(options)) {
      // What was chosen may not be there any more: the agent's own choice holds then.
      const problem = await session.choose(option, value);
      if (problem !== undefined) parts.log(id, `Cannot choose ${option} ${value}: ${problem}`);
    }
    return session;
  };
}

/** A project's own, else the bot's. */
export function agentOf(
  { place: { channelId } }: Pick<Conversation, "place">,
  { agent, projects }: BotConfig,
): AgentChoice {
  const project = Object.hasOwn(projects, channelId) ? projects[channelId] : undefined;
  return project?.agent ?? agent;
}

/**
 * By which a hint for its login is found: the name of its preset, or its program; of an agent of
 * another kind its name.
 */
export function programOf(
  { name }: AgentChoice,
  { broker: { agents } }: Pick<BrokerSettings, "broker">,
): string {
  const settings: Readonly<Record<string, unknown>> = agents[name] ?? {};
  const { preset, command } = settings;
  if (typeof preset === "string") return preset;
  const words = Array.isArray(command) ? command.map(String) : [];
  // `npx -y @agent/acp` is the agent's program, whatever starts it.
  return words.map((word) => word.slice(word.lastIndexOf("/") + 1)).join(" ") || name;
}

function configOf(
  { name }: AgentChoice,
  { writes, files, folder }: BotFolder,
  { broker: { agents } }: BrokerSettings,
): BackendConfig | { refused: string } {
  const settings = agents[name];
  if (settings === undefined) return { refused: `There is no agent "${name}" any more` };
  const config = readBackendConfig(withPreset(settings));
  if ("refused" in config) return config;
  const isInside = files === folder || files.startsWith(`${folder}/`);
  const more = [...writes, ...(isInside ? [] : [files])];
  if (more.length === 0 || (config.kind !== "acp" && config.kind !== "command")) return config;
  return { ...config, writes: [...(config.writes ?? []), ...more] };
}

function converserFor(
  config: BackendConfig,
  { name, model, price }: AgentChoice,
  conversation: Conversation,
  { settings, config: botConfig, env, clock, wrap, mark, toolsOf, offer }: BotAgentsParts,
) {
  const { workspace: { sandbox: level, network }, limits } = botConfig();
  const sandbox = { level, network };
  const models = Object.entries(settings().models).flatMap(([alias, one]) =>
    one.backend === name && one.model !== undefined ? [{ value: one.model, name: alias }] : []
  );
  const prices = Object.fromEntries([
    ...Object.values(settings().models).flatMap((one) =>
      one.model === undefined || one.price === undefined ? [] : [[one.model, one.price] as const]
    ),
    ...(model === undefined || price === undefined ? [] : [[model, price] as const]),
  ]);
  return createConverser(config, {
    wrap,
    clock,
    env: env(),
    prices,
    sandbox,
    agentEnv(folder) {
      const made = agentEnvironment(env(), { sandbox, folder });
      if (level !== "none") mkdirSync(join(folder, ".home"), { recursive: true });
      return made;
    },
    ...(model === undefined ? {} : { model }),
    models,
    brokerMark: mark,
    tools: () => toolsOf(conversation),
    offer,
    startLimitMs: limits.initializeMs + Math.max(limits.loadMs, limits.openMs),
  });
}

function refused(message: string): TurnFailure {
  return { kind: "refused", message, code: undefined, stderr: "", hint: undefined };
}
