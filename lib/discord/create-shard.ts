import { DiscordenoShard, type DiscordGatewayPayload } from "@discordeno/bot";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Ending } from "./gateway-ending.ts";
import { limitTime } from "./linked-abort.ts";
import { networkTrouble } from "./network-trouble.ts";
import { type GatewaySocket, openSocket, shutSocket } from "./open-socket.ts";
import { type Proxy, proxyFor } from "./proxy.ts";
import { numberOf, rawOf } from "./raw-json.ts";
import { API_VERSION } from "./send-request.ts";

export interface ShardParts {
  token: string;
  /** For the proxy, per address that is connected to. */
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  random: () => number;
  /** READY and RESUMED have been dealt with when they come here. `data` is unchecked. */
  onDispatch(name: string, data: unknown): void;
}

export interface Shard {
  /** Whether there is a session that may go on. */
  hasSession(): boolean;
  forgetSession(): void;
  /**
   * Connects, resumes the session or begins one, and resolves when the connection has ended, by
   * whatever; never rejects. `url` is where a new session begins.
   */
  live(url: string, intents: number, signal: AbortSignal): Promise<Ending>;
}

/** From the first byte to Hello, and again until the session stands. */
const PATIENCE_MS = 30_000;
/** A server that wants heartbeats more often is not Discord's; at once and for ever would be a loop. */
const FASTEST_BEAT_MS = 1_000;
/** A timer for more than 24 days ends at once, which would be a loop again. */
const SLOWEST_BEAT_MS = 5 * 60_000;
/** Discordeno counts how many requests fit between heartbeats, and never ends where that is none. */
const FASTEST_FOR_DISCORDENO_MS = 2_500;

const HEARTBEAT = 1;
const RECONNECT = 7;
const INVALID_SESSION = 9;
const HELLO = 10;
const HEARTBEAT_ACK = 11;
const NORMAL = 1000;
/** Any code but 1000 and 1001 keeps the session alive, so that it can be resumed. */
const COMING_BACK = 4900;
const SHUT_MS = 500;

/** Discordeno would write to the console, tokens and all. */
const SILENT = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {},
};

/** One connection, from its first byte to its end. */
interface Life {
  socket: GatewaySocket | undefined;
  hello: PromiseWithResolvers<void>;
  ended: PromiseWithResolvers<Ending>;
  /** Aborted when it is over, whatever ended it. */
  over: AbortController;
  acknowledged: boolean;
}

/**
 * Discordeno's shard keeps the session and speaks the protocol; everything by which it would act
 * on its own is replaced, because it reconnects without a pause, never gives up on a connection
 * that does not open, and sends an outdated Identify after the next READY.
 */
export function createShard(parts: ShardParts): Shard {
  const { clock, log } = parts;
  const shard = new DiscordenoShard({
    id: 0,
    connection: {
      token: parts.token,
      url: "",
      version: API_VERSION,
      intents: 0,
      totalShards: 1,
      compress: false,
      transportCompression: null,
      properties: { os: process.platform, browser: "herd", device: "herd" },
    },
    events: {},
    logger: SILENT,
  });
  const understand = shard.handleDiscordPacket.bind(shard);
  let life = newLife();

  function send(packet: unknown): void {
    if (shard.isOpen()) shard.socket?.send(JSON.stringify(packet));
  }

  function receive(text: string, mine: Life): void {
    // What comes behind the end is sent again to the resumed session.
    if (mine.over.signal.aborted) return;
    let packet: DiscordGatewayPayload;
    try {
      packet = { ...rawOf(JSON.parse(text)) } as unknown as DiscordGatewayPayload;
    } catch {
      return log.write("warn", "The gateway sent something that is no JSON");
    }
    if (packet.op === RECONNECT) return end(mine, { kind: "asked" });
    if (packet.op === INVALID_SESSION) {
      return end(mine, { kind: "invalid", resumable: packet.d === true });
    }
    if (packet.op === HEARTBEAT_ACK) mine.acknowledged = true;
    if (packet.op === HELLO) greet(packet, mine);
    // Discordeno takes everything but null for a number.
    packet.s = numberOf(packet.s) ?? null;
    understand(packet).catch((error) => {
      log.write("error", "A packet of the gateway was not understood", { error: String(error) });
    });
  }

  function greet(hello: DiscordGatewayPayload, mine: Life): void {
    const wanted = numberOf(rawOf(hello.d)["heartbeat_interval"]) ?? 0;
    void beat(Math.min(Math.max(FASTEST_BEAT_MS, wanted), SLOWEST_BEAT_MS), mine);
    hello.d = { heartbeat_interval: Math.max(FASTEST_FOR_DISCORDENO_MS, wanted) };
    mine.hello.resolve();
  }

  /** Heartbeats until the connection ends; one that is not answered by the next ends it. */
  async function beat(intervalMs: number, mine: Life): Promise<void> {
    try {
      // The first at a random time, so that a restart of Discord's does not bring all at once.
      await clock.sleep(Math.round(intervalMs * parts.random()), mine.over.signal);
      for (;;) {
        mine.acknowledged = false;
        send({ op: HEARTBEAT, d: shard.previousSequenceNumber });
        await clock.sleep(intervalMs, mine.over.signal);
        if (!mine.acknowledged) return end(mine, { kind: "silent" });
      }
    } catch {
      // The connection has ended.
    }
  }

  async function connect(): Promise<typeof shard> {
    const mine = life;
    const url = new URL(shard.connectionUrl);
    url.searchParams.set("v", String(API_VERSION));
    url.searchParams.set("encoding", "json");
    mine.socket = await openSocket(url, proxyFor(url.href, parts.env), mine.over.signal, {
      message: (text) => receive(text, mine),
      closed: (code, reason) => end(mine, { kind: "closed", code, reason }),
    });
    shard.socket = mine.socket as unknown as NonNullable<typeof shard.socket>;
    // Identify comes after Hello; without one the wait ends with this life.
    await mine.hello.promise;
    return shard;
  }

  shard.connect = connect;
  shard.send = (packet) => Promise.resolve(send(packet));
  shard.close = () => Promise.resolve();
  shard.startHeartbeating = () => {};
  shard.forwardToBot = ({ t, d }) => {
    if (typeof t === "string") parts.onDispatch(t, d);
  };

  return {
    hasSession: () => Boolean(shard.sessionId),
    forgetSession() {
      delete shard.sessionId;
      shard.resumeGatewayUrl = "";
      shard.previousSequenceNumber = null;
    },
    async live(url, intents, signal) {
      const mine = life = newLife();
      Object.assign(shard.gatewayConfig, { url, intents });
      using limit = limitTime(PATIENCE_MS, signal);
      const proxy = proxyFor(shard.connectionUrl, parts.env);
      const late = () => end(mine, { kind: "failed", detail: failed("no answer in time", proxy) });
      limit.signal.addEventListener("abort", late, { once: true });
      if (signal.aborted) late();
      shard.resolves.clear();
      const begun = shard.sessionId ? shard.resume() : shard.identify();
      begun.then(
        () => limit.signal.removeEventListener("abort", late),
        (error) => end(mine, { kind: "failed", detail: failed(networkTrouble(error), proxy) }),
      );
      const closed = () => end(mine, { kind: "closed", code: NORMAL, reason: "" });
      signal.addEventListener("abort", closed, { once: true });
      const ending = await mine.ended.promise;
      signal.removeEventListener("abort", closed);
      if (mine.socket !== undefined) {
        await shutSocket(mine.socket, signal.aborted ? NORMAL : COMING_BACK, SHUT_MS);
      }
      return ending;
    },
  };
}

function newLife(): Life {
  const life: Life = {
    socket: undefined,
    hello: Promise.withResolvers(),
    ended: Promise.withResolvers(),
    over: new AbortController(),
    acknowledged: true,
  };
  return life;
}

function end(life: Life, ending: Ending): void {
  life.ended.resolve(ending);
  life.over.abort(new Error("The connection is over"));
}

function failed(why: string, proxy: Proxy | undefined): string {
  const via = proxy === undefined ? "" : ` through the proxy ${proxy.shown}`;
  return `Cannot connect to Discord${via}: ${why}`;
}
