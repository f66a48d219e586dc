import type { GatewayEvent } from "./gateway-event.ts";
import type { LinkState } from "./link.ts";
import type { Id } from "./message.ts";

/** Who the bot is: known from its first connection on, also while there is none. */
export interface BrokerSelf {
  now(): { id: Id; name: string } | undefined;
  /** Resolves when it is known; rejects with the signal's reason. */
  known(signal: AbortSignal): Promise<{ id: Id; name: string }>;
  hear(event: GatewayEvent): void;
}

export function createBrokerSelf(state: LinkState): BrokerSelf {
  let me = state.phase === "connected" ? state.me : undefined;
  const first = Promise.withResolvers<{ id: Id; name: string }>();
  if (me !== undefined) first.resolve(me);
  return {
    now: () => me,
    async known(signal) {
      signal.throwIfAborted();
      if (me !== undefined) return me;
      const stopped = Promise.withResolvers<never>();
      const stop = () => stopped.reject(signal.reason);
      signal.addEventListener("abort", stop, { once: true });
      try {
        return await Promise.race([first.promise, stopped.promise]);
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
    hear(event) {
      if (event.type !== "ready") return;
      me = event.me;
      first.resolve(me);
    },
  };
}
