import type { Clock } from "../../../lib/base/clock.ts";
import type { Call as Sent } from "../../../lib/discord/call-discord.ts";
import { createDiscordRest } from "../../../lib/discord/create-rest.ts";
import type { GatewayEvent } from "../../../lib/discord/gateway-event.ts";
import { NEEDED_INTENTS } from "../../../lib/discord/intents.ts";
import type { DiscordLink, LinkState } from "../../../lib/discord/link.ts";
import { readEvent, readReady } from "../../../lib/discord/read-event.ts";
import type { Answer } from "../../../lib/discord/read-failure.ts";
import { createRecent } from "../../../lib/discord/recent.ts";
import type { LocalSession } from "./gateway.ts";
import type { Call } from "./pipeline.ts";
import type { FakeDiscord } from "./start-discord.ts";

/** A link of the real REST layer to a loopback Discord in this process: no sockets, held time. */
export interface LocalLink extends DiscordLink {
  /** The gateway is gone for so long; `forgets`: with the session, so that nothing is told again. */
  deafen(ms: number, forgets: boolean): void;
}

export function createLocalLink({ discord, token, clock, random, onSend = () => "sent" }: {
  discord: FakeDiscord;
  token: string;
  clock: Clock;
  random(): number;
  /** A request goes out; `dead`: nobody sends any more, `late`: no answer comes in time. */
  onSend?(): "sent" | "dead" | "late";
}): LocalLink {
  const stop = new AbortController();
  const listeners = new Set<(event: GatewayEvent) => void>();
  const states = new Set<(state: LinkState) => void>();
  const seen = createRecent(2_000);
  let state: LinkState = { phase: "connecting", since: clock.now(), tries: 0 };
  let session: LocalSession | undefined;
  const rest = createDiscordRest({
    token,
    baseUrl: "https://discord.test/api",
    proxy: undefined,
    clock,
    log: { path: undefined, write: () => {} },
    random,
    send,
  });

  async function send(sent: Sent, signal: AbortSignal): Promise<Answer> {
    const how = onSend();
    if (how === "dead") return await never(signal);
    // What is on the way arrives, whoever has died meanwhile.
    const said = clock.sleep(5 + random() * 100).then(() => discord.ask(callOf(sent, token)));
    const { status, headers, body, cut } = await Promise.race([said, never(signal)]);
    await clock.sleep(how === "late" ? LATE_MS : 5 + random() * 100, signal);
    if (cut !== undefined || how === "late") throw new TypeError("the connection was cut");
    const text = typeof body === "string" ? body : new TextDecoder().decode(body);
    return { status, headers: new Headers(headers), text };
  }

  function hear(name: string, data: unknown): void {
    if (stop.signal.aborted) return;
    if (name === "READY") {
      const ready = readReady(data)!;
      state = { phase: "connected", since: clock.now(), ...ready };
      states.forEach((tell) => tell(state));
    }
    for (const event of readEvent(name, data) ?? []) {
      const key = event.type === "message"
        ? `message ${event.message.id}`
        : event.type === "interaction"
        ? `interaction ${event.interaction.id}`
        : undefined;
      if (key === undefined || seen.isNew(key)) listeners.forEach((tell) => tell(event));
    }
  }

  function begin(): void {
    session?.end();
    session = discord.gateway.attach(token, NEEDED_INTENTS, hear);
  }

  return {
    rest,
    state: () => state,
    onState(listener) {
      states.add(listener);
      return () => states.delete(listener);
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start: begin,
    deafen(ms, forgets) {
      session?.drop();
      if (forgets) session?.end();
      void clock.sleep(ms, stop.signal).then(() => forgets ? begin() : session?.resume(), () => {});
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      session?.end();
      await rest[Symbol.asyncDispose]();
    },
  };
}

/** As long as a call waits for its answer. */
const LATE_MS = 15_000;

/** A request as the loopback's routes get it from HTTP. */
function callOf({ method, route, written, secret }: Sent, token: string): Call {
  const url = new URL(`https://discord.test${route}`);
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    token: secret === undefined ? token : undefined,
    body: written === undefined ? undefined : JSON.parse(JSON.stringify(written.body)),
    files: (written?.files ?? []).map(({ name, bytes }, i) => ({
      name,
      bytes: bytes as Uint8Array,
      field: `files[${i}]`,
    })),
  };
}

function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
