import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import { SshError } from "../ssh/ssh-error.ts";
import type { ForwardTarget, SshHost } from "../ssh/ssh-host.ts";
import { type DaemonThere, findDaemonThere } from "./daemon-there.ts";

export interface TunnelParts {
  host: SshHost;
  /** Where it listens on 127.0.0.1; undefined: the daemon's own number, where that is free here. */
  port: number | undefined;
  clock: Clock;
  /** Ends it. */
  signal: AbortSignal;
  /** The daemon was found, or found anew with another token. */
  onDaemon(daemon: DaemonThere): void;
  /** What people should know: cuts, and what follows. */
  onNews(text: string): void;
}

/** A port of this machine that leads to the control API of a daemon elsewhere. */
export interface Tunnel extends AsyncDisposable {
  port: number;
  daemon: DaemonThere;
  /** Resolves with the signal; rejects where the host lets nobody in any more. */
  readonly ended: Promise<void>;
}

/** Whoever asks meanwhile does not make herd be asked there each time. Milliseconds. */
const LOOK_AGAIN_MS = 3_000;
/** Between tries after a cut, doubled up to the second. */
const FIRST_MS = 1_000;
const MOST_MS = 30_000;

/**
 * Finds the daemon and listens. Rejects as `findDaemonThere`, or with UserError for a port that is
 * taken and a server that forwards nothing.
 */
export async function openTunnel(parts: TunnelParts): Promise<Tunnel> {
  const { host, clock, signal, onNews } = parts;
  let daemon = await findDaemonThere(host, signal);
  let lookedAt = clock.now();
  let looking: Promise<void> | undefined;
  let way: "socket" | "port" = "socket";
  let isMissing = false;
  parts.onDaemon(daemon);

  const targets = (): ForwardTarget[] => {
    const all = {
      socket: { socketPath: daemon.socket },
      port: { host: "127.0.0.1", port: daemon.port },
    };
    return way === "socket" ? [all.socket, all.port] : [all.port, all.socket];
  };

  async function forward(): Promise<Duplex> {
    let failure: unknown;
    for (const target of targets()) {
      try {
        const channel = await host.forward(target, signal);
        way = "socketPath" in target ? "socket" : "port";
        return channel;
      } catch (error) {
        failure ??= error;
        if (!(error instanceof SshError) || error.step !== "channel") throw error;
      }
    }
    throw failure;
  }

  /** The daemon may have been started anew: then socket, port and token are others. */
  async function lookAgain(): Promise<void> {
    const before = daemon.token;
    lookedAt = clock.now();
    try {
      daemon = await findDaemonThere(host, signal);
      if (daemon.token !== before) {
        parts.onDaemon(daemon);
        onNews("The daemon there was started anew; the token file has its new token");
      } else if (isMissing) onNews("The daemon there answers again");
      isMissing = false;
    } catch (error) {
      signal.throwIfAborted();
      if (!isMissing) onNews((error as Error).message);
      isMissing = true;
    }
  }

  /** Undefined where it was looked for a moment ago. */
  function lookSoon(): Promise<void> | undefined {
    if (looking === undefined && clock.now() - lookedAt >= LOOK_AGAIN_MS) {
      looking = lookAgain().finally(() => looking = undefined);
    }
    return looking;
  }

  async function forwardAnyway(): Promise<Duplex> {
    try {
      return await forward();
    } catch (error) {
      const look = error instanceof SshError && error.step === "channel" ? lookSoon() : undefined;
      if (look === undefined) throw error;
      await look;
      return await forward();
    }
  }

  async function carry(socket: Socket): Promise<void> {
    socket.on("error", () => socket.destroy());
    try {
      const channel = await forwardAnyway();
      join(socket, channel);
      // A daemon that was started anew at the same place wants another token.
      channel.on("data", (bytes: Uint8Array) => void (isRefusal(bytes) && lookSoon()));
    } catch {
      // Said by the watch over the connection, or by the look for the daemon.
      socket.destroy();
    }
  }

  await prove(forwardAnyway, host.name);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    void carry(socket);
  });
  const port = await listen(server, parts.port, daemon.port);
  const ended = keepConnected({ ...parts, onBack: lookAgain });
  // Whoever waits for it hears of it; nobody has to.
  ended.catch(() => {});
  return {
    port,
    ended,
    get daemon() {
      return daemon;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A server may forward nothing at all: that is said now, and not by silence at each request. */
async function prove(forward: () => Promise<Duplex>, name: string): Promise<void> {
  try {
    (await forward()).destroy();
  } catch (error) {
    if (!(error instanceof SshError) || error.step !== "channel") throw error;
    throw new UserError(`Cannot open a tunnel to "${name}": ${error.message}`, {
      hint: "The server may forward nothing (AllowTcpForwarding, AllowStreamLocalForwarding); " +
        `without a tunnel: herd --host ${name} api sweeps`,
      cause: error,
    });
  }
}

const REFUSAL = "HTTP/1.1 401";

function isRefusal(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, REFUSAL.length)).toString("latin1") === REFUSAL;
}

/** Each end hears when the other has no more to say, and when it is gone. */
function join(socket: Socket, channel: Duplex): void {
  channel.on("error", () => channel.destroy());
  channel.on("close", () => socket.destroySoon());
  socket.on("close", () => channel.destroy());
  if (socket.destroyed) return void channel.destroy();
  socket.pipe(channel);
  channel.pipe(socket);
}

/** Connects again after each cut, and says so. Resolves with the signal; rejects when that needs more than time. */
async function keepConnected(
  { host, clock, signal, onNews, onBack }: TunnelParts & { onBack(): Promise<void> },
): Promise<void> {
  while (!signal.aborted) {
    const why = await untilCut(host, signal);
    if (signal.aborted) return;
    onNews(`The connection to "${host.name}" is gone${why}; connecting again`);
    for (let waitMs = FIRST_MS;; waitMs = Math.min(MOST_MS, waitMs * 2)) {
      try {
        await host.connect(signal);
        break;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof SshError) || !error.passing) throw error;
        await clock.sleep(waitMs, signal).catch(() => {});
        if (signal.aborted) return;
      }
    }
    onNews(`Connected to "${host.name}" again`);
    await onBack().catch(() => {});
  }
}

function untilCut(host: SshHost, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const hear = () => {
      const { state } = host;
      if (state.kind === "connected" && !signal.aborted) return;
      stop();
      signal.removeEventListener("abort", hear);
      resolve("error" in state ? ` (${state.error.message})` : "");
    };
    const stop = host.onState(hear);
    signal.addEventListener("abort", hear, { once: true });
    hear();
  });
}

async function listen(server: Server, wanted: number | undefined, usual: number): Promise<number> {
  for (const port of wanted === undefined ? [usual, 0] : [wanted]) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ port, host: "127.0.0.1" }, () => {
          server.removeListener("error", reject);
          resolve();
        });
      });
      return (server.address() as AddressInfo).port;
    } catch (error) {
      const code = codeOf(error);
      if (wanted === undefined && port !== 0) continue;
      throw new UserError(
        `Cannot listen on port ${port} here: ${
          code === "EADDRINUSE" ? "another program does" : `${code ?? error}`
        }`,
        { hint: "Name another one with --port, or none: then a free one is taken", cause: error },
      );
    }
  }
  throw new Error("No port was tried");
}
