import { request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import type { Socket } from "node:net";
import { connect as connectSecure } from "node:tls";
import type { Proxy } from "./proxy.ts";

/**
 * A connection to `target` through a proxy, by CONNECT; for a `wss:` or `https:` target encrypted
 * from end to end, so that the proxy sees host and port and nothing else. Rejects when the proxy
 * says no. The built-in WebSocket of Bun 1.4 knows no proxy of the environment; this works in
 * both runtimes.
 */
export async function openTunnel(target: URL, proxy: Proxy, signal: AbortSignal): Promise<Socket> {
  const secure = target.protocol === "wss:" || target.protocol === "https:";
  const host = target.hostname.replace(/^\[|\]$/g, "");
  const authority = `${target.hostname}:${target.port || (secure ? 443 : 80)}`;
  const raw = await connectThrough(proxy, authority, signal);
  return secure ? await encrypt(raw, host, signal) : raw;
}

function connectThrough(proxy: Proxy, authority: string, signal: AbortSignal): Promise<Socket> {
  const { host, port, authorization, secure } = proxy;
  return new Promise((resolve, reject) => {
    const asked = (secure ? requestSecure : requestPlain)({
      host,
      port,
      method: "CONNECT",
      path: authority,
      agent: false,
      signal,
      headers: {
        host: authority,
        ...(authorization === undefined ? {} : { "proxy-authorization": authorization }),
      },
    });
    asked.once("connect", (answer, socket, head) => {
      if (answer.statusCode !== 200) {
        socket.destroy();
        return reject(new Error(`the proxy answers HTTP ${answer.statusCode}`));
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket as Socket);
    });
    // Some proxies, and Bun for every no, answer as to an ordinary request.
    asked.once("response", (answer) => {
      answer.resume();
      asked.destroy();
      reject(new Error(`the proxy answers HTTP ${answer.statusCode}`));
    });
    asked.once("error", reject);
    asked.end();
  });
}

function encrypt(socket: Socket, servername: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // A server name that is an address is against the standard of TLS.
    const named = /[a-z]/i.test(servername) && !servername.includes(":");
    const encrypted = connectSecure({ socket, ...(named ? { servername } : { host: servername }) });
    const stop = () => encrypted.destroy(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    const settle = (act: () => void) => {
      signal.removeEventListener("abort", stop);
      act();
    };
    encrypted.once("secureConnect", () => settle(() => resolve(encrypted)));
    encrypted.once("error", (error) => {
      socket.destroy();
      settle(() => reject(error));
    });
    if (signal.aborted) stop();
  });
}
