import type { Clock } from "../base/clock.ts";
import type { Named } from "../chat/arrival.ts";
import { DiscordError } from "./discord-error.ts";
import type { GatewayEvent } from "./gateway-event.ts";
import type { Id } from "./message.ts";
import type { DiscordRest } from "./rest.ts";

export interface BrokerRolesParts {
  rest: Pick<DiscordRest, "guild">;
  clock: Clock;
  log(level: "info", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** What people call roles: a message brings their bare ids. */
export interface BrokerRoles {
  hear(event: GatewayEvent): void;
  /** Those whose names are known, or can be had in a moment; the others are left out. Rejects only when aborted. */
  named(guildId: Id, ids: readonly Id[], signal: AbortSignal): Promise<Named[]>;
}

/** An agent's start does not wait longer for a name. */
const PATIENCE_MS = 3_000;
const MOST_GUILDS = 100;

export function createBrokerRoles({ rest, clock, log }: BrokerRolesParts): BrokerRoles {
  const known = new Map<Id, ReadonlyMap<Id, string>>();

  async function ask(guildId: Id, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const ends = AbortSignal.any([signal, over.signal]);
    clock.sleep(PATIENCE_MS, ends).then(() => over.abort(), () => {});
    try {
      const { roles } = await rest.guild(guildId, ends);
      known.delete(guildId);
      known.set(guildId, new Map(roles.map(({ id, name }) => [id, name])));
      if (known.size > MOST_GUILDS) known.delete(known.keys().next().value!);
    } catch (error) {
      signal.throwIfAborted();
      if (!over.signal.aborted && !(error instanceof DiscordError)) throw error;
      log("info", "Cannot look up the names of roles", { guild: guildId, error: `${error}` });
    } finally {
      over.abort();
    }
  }

  return {
    hear(event) {
      if (event.type === "permissions-changed") known.delete(event.guildId);
    },
    async named(guildId, ids, signal) {
      if (ids.length === 0) return [];
      const names = () => known.get(guildId);
      if (!ids.every((id) => names()?.has(id) === true)) await ask(guildId, signal);
      return [...new Set(ids)].flatMap((id) => {
        const name = names()?.get(id);
        return name === undefined ? [] : [{ id, name }];
      });
    },
  };
}
