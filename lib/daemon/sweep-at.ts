import type { Desk } from "../actions/desk.ts";
import type { Right, Ruling } from "../discord/access.ts";

/** The sweep in whose channel, or below it, something is said. */
export interface SweepAt {
  desk: Desk;
  channelId: string;
  /** The trial whose thread it is. */
  trialOf(threadId: string): number | undefined;
  may(userId: string, right: Right): Promise<Ruling>;
}
