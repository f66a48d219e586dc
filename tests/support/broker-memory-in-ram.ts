import type { BrokerMemory, BrokerRemembered } from "../../lib/discord/broker-memory.ts";

export function brokerMemoryInRam(start: Partial<BrokerRemembered> = {}): BrokerMemory {
  let now: BrokerRemembered = {
    mark: "abc123",
    seen: {},
    bots: [],
    turns: {},
    counted: {},
    shown: {},
    signs: {},
    ...start,
  };
  return {
    read: () => now,
    write(change) {
      now = { ...now, ...change };
    },
  };
}
