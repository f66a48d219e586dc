import type { Ask, Tell } from "./ask.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { type CallParts, createCaller } from "./call-discord.ts";
import { failure } from "./read-failure.ts";
import { guildCalls } from "./guild-calls.ts";
import { interactionCalls } from "./interaction-calls.ts";
import { messageCalls } from "./message-calls.ts";
import type { Proxy } from "./proxy.ts";
import type { DiscordRest } from "./rest.ts";
import { apiBase, createSend } from "./send-request.ts";

export interface RestParts {
  token: string;
  /** `https://discord.com/api`; a version at its end is ignored. */
  baseUrl: string;
  /** The proxy on the way, see `proxyFor`. */
  proxy: Proxy | undefined;
  clock: Clock;
  log: Log;
  /** 0 to 1, for the jitter of retries. */
  random: () => number;
  /** Instead of HTTP. */
  send?: CallParts["send"];
}

/** Discord over HTTP. Disposing ends every call that is under way. */
export function createDiscordRest(parts: RestParts): DiscordRest & AsyncDisposable {
  const baseUrl = apiBase(parts.baseUrl);
  const { proxy } = parts;
  const caller = createCaller({
    send: parts.send ?? createSend({ token: parts.token, baseUrl, proxy }),
    host: URL.canParse(baseUrl) ? new URL(baseUrl).host : baseUrl,
    via: proxy === undefined ? "" : ` through the proxy ${proxy.shown}`,
    clock: parts.clock,
    log: parts.log,
    random: parts.random,
  });

  const ask: Ask = async (call, read) => {
    const value = read(await caller.call(call));
    if (value !== undefined) return value;
    const route = call.secret === undefined ? call.route : call.route.replaceAll(call.secret, "…");
    throw failure(
      { action: call.action, method: call.method, route },
      "the answer is not readable",
      {
        kind: "unreachable",
      },
    );
  };
  const tell: Tell = async (call) => void await caller.call(call);

  return {
    ...guildCalls(ask, tell),
    ...messageCalls(ask, tell),
    ...interactionCalls(ask, tell),
    serverNow: caller.serverNow,
    [Symbol.asyncDispose]() {
      caller.close();
      return Promise.resolve();
    },
  };
}
