import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { CommandDefinition } from "../discord/command-definition.ts";
import { createDiscordLink, DISCORD_API_URL } from "../discord/create-link.ts";
import { DiscordError } from "../discord/discord-error.ts";
import type { GatewayEvent, Interaction } from "../discord/gateway-event.ts";
import { DAEMON_INTENTS } from "../discord/intents.ts";
import type { DiscordLink, LinkState } from "../discord/link.ts";
import { mergeCommands } from "../discord/merge-commands.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Who has a part in a connection: a sweep's channel, the pool's channels, a bot that converses. */
export interface WireParty {
  /** Its server; undefined: every one in which the bot is. */
  guildId: string | undefined;
  commands(): readonly CommandDefinition[];
  /** Those of direct messages with it. */
  directCommands?(): readonly CommandDefinition[];
  onState?(state: LinkState): void;
  onEvent(event: Exclude<GatewayEvent, { type: "interaction" }>): void;
  /** Asked first: it was given in one of its conversations, whoever else knows a command of that name. */
  claims?(interaction: Interaction): boolean;
  /** Whether it is its own; then it is answered. */
  onInteraction(interaction: Interaction): boolean;
  /** In this order: the pool knows its own by name, a sweep by its channel, a bot takes what is left. */
  rank: "pool" | "sweep" | "bot";
  /** The slash commands of its server were refused. */
  onCommandsRefused?(guildId: string, why: string): void;
}

/** One connection for one token, whoever shares it. */
export interface Wire {
  readonly link: DiscordLink;
  parties(): readonly WireParty[];
  /**
   * The returned function ends it; the last one that goes hangs up. Who goes `forGood` takes its
   * commands along, as the others stay.
   */
  join(party: WireParty): (how?: "forGood") => Promise<void>;
  /** Hangs up when nobody has a part in it, such as when joining failed. */
  tidy(): Promise<void>;
}

export interface WiresParts {
  clock: Clock;
  log: Log;
  random(): number;
  signal: AbortSignal;
  /** Nobody took it. */
  onLost(wire: Wire, interaction: Interaction): void;
}

/** In the place of a server's id. */
const DIRECT = "direct messages";
const RANKS = ["pool", "sweep", "bot"] as const;

/** The connections of a daemon: one for each token. */
export function createWires(parts: WiresParts) {
  const wires = new Map<string, Wire>();

  return {
    all: () => [...wires.values()],
    of(token: string, env: Env): Wire {
      const apiUrl = env["DISCORD_API_URL"] || DISCORD_API_URL;
      const key = `${apiUrl} ${token}`;
      const known = wires.get(key);
      if (known !== undefined) return known;
      const { clock, random, log } = parts;
      const link = createDiscordLink({
        token,
        apiUrl,
        env,
        clock,
        random,
        log,
        intents: DAEMON_INTENTS,
      });
      const wire = createWire(link, parts, () => wires.delete(key));
      wires.set(key, wire);
      link.start();
      return wire;
    },
  };
}

function createWire(link: DiscordLink, parts: WiresParts, onHungUp: () => void): Wire {
  const joined = new Set<WireParty>();
  const commanded = new Set<string>();
  const guilds = new Set<string>();
  link.onState((state) => {
    for (const party of joined) party.onState?.(state);
    if (state.phase === "connected") commandAll();
  });
  link.onEvent(route);

  function route(event: GatewayEvent): void {
    if (event.type === "interaction") return interact(event.interaction);
    if (event.type === "ready") { for (const id of event.guilds) guilds.add(id); }
    if (event.type === "guild-gone" && event.lost) guilds.delete(event.id);
    if (event.type === "guild-here") {
      guilds.add(event.id);
      commanded.delete(event.id);
      void command(event.id);
    }
    for (const party of joined) party.onEvent(event);
  }

  function interact(interaction: Interaction): void {
    const claiming = [...joined].filter((party) => party.claims?.(interaction) === true);
    const ranked = RANKS.flatMap((rank) => [...joined].filter((party) => party.rank === rank));
    for (const party of [...claiming, ...ranked]) if (party.onInteraction(interaction)) return;
    parts.onLost(wire, interaction);
  }

  function commandAll(): void {
    const named = [...joined].flatMap(({ guildId }) => guildId ?? []);
    for (const guild of new Set([...named, ...guilds])) void command(guild);
    void commandDirect();
  }

  async function commandDirect(): Promise<void> {
    const state = link.state();
    const all = mergeCommands([...joined].map((party) => party.directCommands?.() ?? []));
    if (state.phase !== "connected" || all.length === 0 || commanded.has(DIRECT)) return;
    commanded.add(DIRECT);
    try {
      await link.rest.putDirectCommands(state.applicationId, all, parts.signal);
    } catch (error) {
      commanded.delete(DIRECT);
      if (parts.signal.aborted) return;
      parts.log.write("warn", "Cannot register the commands of direct messages", {
        error: `${error}`,
      });
    }
  }

  /** All commands of a server are one set at Discord: who puts some takes the others away. */
  async function command(guild: string): Promise<void> {
    const state = link.state();
    if (state.phase !== "connected" || commanded.has(guild)) return;
    const here = [...joined].filter(({ guildId }) => guildId === undefined || guildId === guild);
    const all = mergeCommands(here.map((party) => party.commands()));
    if (all.length === 0) return;
    commanded.add(guild);
    try {
      await link.rest.putCommands(state.applicationId, guild, all, parts.signal);
    } catch (error) {
      commanded.delete(guild);
      if (parts.signal.aborted) return;
      parts.log.write("warn", "Cannot register the slash commands", { guild, error: `${error}` });
      if (error instanceof DiscordError && error.kind !== "unreachable") {
        for (const party of here) party.onCommandsRefused?.(guild, error.message);
      }
    }
  }

  const wire: Wire = {
    link,
    parties: () => [...joined],
    join(party) {
      joined.add(party);
      commanded.clear();
      const state = link.state();
      party.onState?.(state);
      if (state.phase === "connected") {
        const { me, applicationId } = state;
        party.onEvent({ type: "ready", me, applicationId, guilds: [...guilds] });
        commandAll();
      }
      return async (how) => {
        joined.delete(party);
        if (how === "forGood" && joined.size > 0) {
          commanded.clear();
          commandAll();
        }
        await wire.tidy();
      };
    },
    async tidy() {
      if (joined.size > 0) return;
      onHungUp();
      await link[Symbol.asyncDispose]();
    },
  };
  return wire;
}
