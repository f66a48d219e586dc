import type { Desk } from "../../actions/desk.ts";
import type { Clock } from "../../base/clock.ts";
import type { Quote } from "../quote-data.ts";

/** What every tool works with. */
export interface Kit {
  desk: Desk;
  /** The actor of all that the tools do, as `Event.by` names actors: `agent`, `mcp:alice`. */
  by: string;
  clock: Clock;
  quote: Quote;
}
