import type { BotConfig } from "../chat/broker-config.ts";
import type { Conversation } from "../chat/chat-state.ts";
import { agentOf } from "./bot-agents.ts";
import type { BrokerSettings } from "./broker-settings.ts";

/**
 * What of the configuration an agent is begun with: another text means that one that lives is not
 * what is configured now. It holds keys; it is compared and never shown.
 */
export function agentBasis(
  conversation: Pick<Conversation, "place">,
  config: BotConfig,
  { broker: { agents }, models, env }: BrokerSettings,
): string {
  const choice = agentOf(conversation, config);
  const settings = agents[choice.name] ?? {};
  const { env: passed, api_key_env: key } = settings as Readonly<Record<string, unknown>>;
  const names = [passed, key].flat().filter((name) => typeof name === "string");
  const { projects, workspace, instructions } = config;
  return JSON.stringify([
    ...[choice, settings, names.map((name) => env[name]), models],
    ...[projects[conversation.place.channelId], workspace, instructions],
  ]);
}
