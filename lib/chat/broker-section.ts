import type { PlainMapping } from "../sweep/yaml-text.ts";

interface Named {
  id: string;
  name: string;
}

export interface BotDraft {
  guild: Named;
  /** Never print the text. */
  token: { env: string } | { text: string };
  channels: readonly Named[] | "all";
  users: readonly string[] | "all";
  roles: readonly Named[];
  /** By name, as a file has it. */
  agent: { name: string; settings: PlainMapping };
  model: string | undefined;
  sandbox: string | undefined;
  usdPerDay: number | undefined;
}

/** The section as a file says it, with comments by path for ids that say nothing to people. */
export function brokerSection(
  { guild, token, channels, users, roles, agent, model, sandbox, usdPerDay }: BotDraft,
): { section: PlainMapping; notes: Readonly<Record<string, string>> } {
  const names = channels === "all"
    ? `every channel of ${guild.name}`
    : channels.map(({ name }) => `#${name}`).join(", ");
  const at = "broker.discord";
  return {
    section: {
      discord: {
        bot_token_env: "env" in token ? token.env : undefined,
        bot_token: "text" in token ? token.text : undefined,
        allowed_channels: channels === "all" ? undefined : channels.map(({ id }) => id),
        allow_all_channels: channels === "all" ? true : undefined,
        allowed_users: users === "all" || users.length === 0 ? undefined : users,
        allow_all_users: users === "all" ? true : undefined,
        allowed_user_roles: roles.length === 0 ? undefined : roles.map(({ id }) => id),
      },
      agents: { [agent.name]: agent.settings },
      agent: agent.name,
      model,
      workspace: sandbox === undefined ? undefined : { sandbox },
      budget: usdPerDay === undefined ? undefined : { usd_per_day: usdPerDay },
    },
    notes: {
      [channels === "all" ? `${at}.allow_all_channels` : `${at}.allowed_channels`]: names,
      ...(roles.length === 0
        ? {}
        : { [`${at}.allowed_user_roles`]: roles.map(({ name }) => name).join(", ") }),
    },
  };
}
