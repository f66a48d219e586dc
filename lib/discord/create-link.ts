import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { cleanToken, tokenMistake } from "./bot-token.ts";
import { createGateway } from "./create-gateway.ts";
import { createDiscordRest } from "./create-rest.ts";
import type { GatewayEvent } from "./gateway-event.ts";
import { NEEDED_INTENTS } from "./intents.ts";
import type { DiscordLink, LinkState } from "./link.ts";
import { proxyFor } from "./proxy.ts";
import { readEvent, readReady } from "./read-event.ts";
import { createRecent } from "./recent.ts";

export interface LinkParts {
  token: string;
  /** `https://discord.com/api`. */
  apiUrl: string;
  /** For HTTPS_PROXY and its like. Requests in Deno take the process's own. */
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** 0 to 1. */
  random: () => number;
  log: Log;
  /** See intents.ts; by default what a sweep's channel needs. */
  intents?: number;
}

export const DISCORD_API_URL = "https://discord.com/api";

/** An overlap after a resumed session is a few events; this is some hours of a busy server. */
const REMEMBERED_IDS = 2_000;

/** REST and gateway of one token. Nothing is connected before `start`. */
export function createDiscordLink(parts: LinkParts): DiscordLink {
  const { clock, log, env, random } = parts;
  const token = cleanToken(parts.token);
  const mistake = tokenMistake(parts.token);
  const seen = createRecent(REMEMBERED_IDS);
  const stateListeners = new Set<(state: LinkState) => void>();
  const eventListeners = new Set<(event: GatewayEvent) => void>();
  const proxy = proxyFor(parts.apiUrl, env);
  const rest = createDiscordRest({ token, baseUrl: parts.apiUrl, proxy, clock, log, random });
  let refused: LinkState | undefined;
  const gateway = createGateway({
    token,
    rest,
    env,
    clock,
    log,
    random,
    intents: parts.intents ?? NEEDED_INTENTS,
    readReady,
    onDispatch: hear,
    onState: (state) => tell(stateListeners, state),
  });

  function tell<T>(listeners: ReadonlySet<(what: T) => void>, what: T): void {
    for (const listener of [...listeners]) {
      try {
        listener(what);
      } catch (error) {
        log.write("error", "A listener to Discord failed", { error: String(error) });
      }
    }
  }

  function hear(name: string, data: unknown): void {
    const events = readEvent(name, data);
    // Without the data: it may hold an interaction's token, or somebody's words.
    if (events === undefined) log.write("warn", "An event of Discord's is not readable", { name });
    for (const event of events ?? []) {
      const id = keyOf(event);
      if (id === undefined || seen.isNew(id)) tell(eventListeners, event);
    }
  }

  return {
    rest,
    state: () => refused ?? gateway.state(),
    onState: (listener) => listen(stateListeners, listener),
    onEvent: (listener) => listen(eventListeners, listener),
    start() {
      if (mistake === undefined) return gateway.start();
      refused = { phase: "refused", since: clock.now(), why: "token", ...mistake };
      log.write("error", mistake.detail, { hint: mistake.hint });
      tell(stateListeners, refused);
    },
    async [Symbol.asyncDispose]() {
      refused = undefined;
      await gateway[Symbol.asyncDispose]();
      await rest[Symbol.asyncDispose]();
    },
  };
}

function listen<T>(listeners: Set<(what: T) => void>, listener: (what: T) => void): () => void {
  // One function that is registered twice is two listeners.
  const own = (what: T) => listener(what);
  listeners.add(own);
  return () => listeners.delete(own);
}

/** What a session may tell twice, after it was resumed. */
function keyOf(event: GatewayEvent): string | undefined {
  if (event.type === "message") return `message ${event.message.id}`;
  return event.type === "interaction" ? `interaction ${event.interaction.id}` : undefined;
}
