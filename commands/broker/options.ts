import type { Context } from "../command.ts";

export const BROKER_OPTIONS = [
  { name: "detach", short: "d", description: "start: in the background" },
  { name: "connected", description: "status: exit 1 unless every bot is on Discord" },
  { name: "no-discord", description: "check: do not ask Discord" },
] as const;

export type BrokerContext = Context<typeof BROKER_OPTIONS>;
