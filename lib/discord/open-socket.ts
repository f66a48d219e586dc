import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { Proxy } from "./proxy.ts";
import { openTunnel } from "./proxy-tunnel.ts";

/** What is used of a socket of `ws`, which comes without types. */
export interface GatewaySocket {
  readonly readyState: number;
  on(event: string, listener: (...what: never[]) => void): unknown;
  once(event: string, listener: (...what: never[]) => void): unknown;
  send(text: string): void;
  close(code: number): void;
  terminate(): void;
}

export interface SocketListener {
  message(text: string): void;
  /** Once, whoever closed it. */
  closed(code: number, reason: string): void;
}

/** More than the largest READY of a bot that is in few servers; what is longer is no Discord. */
const MOST_BYTES = 32 * 1024 * 1024;

/** A WebSocket that is open; rejects when it cannot be opened or `signal` ends the trying. */
export async function openSocket(
  url: URL,
  proxy: Proxy | undefined,
  signal: AbortSignal,
  listener: SocketListener,
): Promise<GatewaySocket> {
  const through = proxy === undefined ? undefined : await openTunnel(url, proxy, signal);
  signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const socket: GatewaySocket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: MOST_BYTES,
      ...(through === undefined ? {} : { createConnection: (): Socket => through }),
    });
    let open = false;
    const stop = () => {
      reject(signal.reason);
      socket.terminate();
    };
    signal.addEventListener("abort", stop, { once: true });
    socket.on("open", () => {
      open = true;
      signal.removeEventListener("abort", stop);
      resolve(socket);
    });
    socket.on("message", (data: unknown, binary: unknown) => {
      // Nothing binary was asked for.
      if (binary !== true) listener.message(String(data));
    });
    socket.on("error", (error: Error) => {
      // After the opening, `close` follows and says what has to be said.
      if (!open) reject(error);
    });
    socket.on("close", (code: number, reason: unknown) => {
      signal.removeEventListener("abort", stop);
      through?.destroy();
      if (open) listener.closed(code, String(reason ?? ""));
      else reject(new Error("closed before it was open"));
    });
  });
}

/** Closes with `code`, so that Discord knows what it means, and does not wait long for a dead line. */
export function shutSocket(socket: GatewaySocket, code: number, patienceMs: number): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.terminate();
      resolve();
    }, patienceMs);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.close(code);
  });
}
