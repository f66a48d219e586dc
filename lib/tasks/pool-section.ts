import type { Plain, PlainMapping } from "../sweep/yaml-text.ts";

export interface DiscordDraft {
  guild: { id: string; name: string };
  /** Never print the text. */
  token: { env: string } | { text: string };
  channels: Readonly<Record<"queue" | "results" | "workers", { id: string; name: string }>>;
  /** Undefined: who may manage the channel. */
  authors: readonly string[] | undefined;
  operators: readonly string[] | undefined;
}

export interface PoolDraft {
  discord: DiscordDraft | undefined;
  usdPerDay: number | undefined;
  /** `defaults`, `backends`, `models` and more, later ones over earlier ones. */
  parts: readonly PlainMapping[];
}

/** The section as a file says it, with comments by path for ids that say nothing to people. */
export function poolSection(
  { discord, usdPerDay, parts }: PoolDraft,
): { section: PlainMapping; notes: Readonly<Record<string, string>> } {
  // What an import says of Discord was looked at and may have been changed.
  const { discord: _, defaults, budget, limits, ...own } = parts.reduce<PlainMapping>(merged, {});
  const section = {
    discord: discord === undefined ? undefined : discordOf(discord),
    defaults,
    budget: usdPerDay === undefined ? budget : { usd_per_day: usdPerDay },
    limits,
    ...own,
  };
  return { section, notes: discord === undefined ? {} : notesOf(discord) };
}

function discordOf({ guild, token, channels, authors, operators }: DiscordDraft): PlainMapping {
  return {
    guild_id: guild.id,
    token_env: "env" in token ? token.env : undefined,
    token: "text" in token ? token.text : undefined,
    channels: {
      queue: channels.queue.id,
      results: channels.results.id,
      workers: channels.workers.id,
    },
    authors,
    operators,
  };
}

function notesOf({ guild, channels }: DiscordDraft): Record<string, string> {
  const at = "pool.discord";
  const ids = Object.entries(channels).filter(([, { id, name }]) => id !== name);
  return {
    [`${at}.guild_id`]: guild.name,
    ...Object.fromEntries(ids.map(([place, { name }]) => [`${at}.channels.${place}`, `#${name}`])),
  };
}

function merged(under: PlainMapping, over: PlainMapping): PlainMapping {
  const both: Record<string, Plain | undefined> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const old = both[key];
    both[key] = isMapping(old) && isMapping(value) ? merged(old, value) : value;
  }
  return both;
}

function isMapping(value: Plain | undefined): value is PlainMapping {
  return typeof value === "object" && !Array.isArray(value);
}
