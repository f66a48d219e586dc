import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { GatewaySocket } from "../../lib/discord/open-socket.ts";

/** One connection to the small gateway, as the server sees it. */
export interface GatewayPeer {
  path: string;
  send(packet: unknown): void;
  /** An event with the session's next number. */
  dispatch(name: string, data: unknown): void;
  /** The next packet that the client sends and that `wanted` says yes to; rejects after five seconds. */
  next(wanted: (packet: Packet) => boolean): Promise<Packet>;
  close(code: number, reason?: string): void;
  /** Ends the connection without a word. */
  cut(): void;
  closed: Promise<number>;
}

export interface Packet {
  op: number;
  // deno-lint-ignore no-explicit-any -- a test says what it expects
  d: any;
}

export interface LoopbackGateway extends AsyncDisposable {
  url: string;
  /** The next connection; rejects after five seconds. */
  peer(): Promise<GatewayPeer>;
  connections(): number;
}

type Peer = Omit<GatewaySocket, "close"> & { close(code: number, reason?: string): void };

/** A gateway that does nothing by itself but Hello. */
export async function startLoopbackGateway(
  { hello = { heartbeat_interval: 41_250 } as unknown } = {},
): Promise<LoopbackGateway> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise<void>((resolve) => server.once("listening", () => resolve()));
  const arrived: GatewayPeer[] = [];
  const awaiting: ((peer: GatewayPeer) => void)[] = [];
  let sequence = 0;
  let connections = 0;
  server.on("connection", (socket: Peer, request: { url?: string }) => {
    connections++;
    const peer = createPeer(socket, request.url ?? "", () => ++sequence);
    if (hello !== undefined) peer.send({ op: 10, d: hello, s: null, t: null });
    const first = awaiting.shift();
    if (first) first(peer);
    else arrived.push(peer);
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    peer: () =>
      inTime(
        "a connection",
        new Promise((resolve) => {
          const first = arrived.shift();
          if (first) resolve(first);
          else awaiting.push(resolve);
        }),
      ),
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function createPeer(socket: Peer, path: string, number: () => number): GatewayPeer {
  const received: Packet[] = [];
  const watchers = new Set<() => void>();
  socket.on("error", () => {});
  socket.on("message", (data: unknown) => {
    received.push(JSON.parse(String(data)));
    for (const watch of [...watchers]) watch();
  });
  const send = (packet: unknown) => socket.send(JSON.stringify(packet));
  return {
    path,
    send,
    dispatch: (t, d) => send({ op: 0, t, d, s: number() }),
    next: (wanted) =>
      inTime(
        "a packet",
        new Promise((resolve) => {
          function look() {
            const at = received.findIndex(wanted);
            if (at < 0) return;
            watchers.delete(look);
            resolve(received.splice(at, 1)[0]!);
          }
          watchers.add(look);
          look();
        }),
      ),
    close: (code, reason) => socket.close(code, reason),
    cut: () => socket.terminate(),
    closed: new Promise((resolve) => socket.on("close", (code: number) => resolve(code))),
  };
}

function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let deadline: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    deadline = setTimeout(() => reject(new Error(`No sign of ${what} within 5 s`)), 5_000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(deadline));
}
