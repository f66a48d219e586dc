import type { Desk } from "../actions/desk.ts";
import { count } from "../base/text.ts";
import { parseIndexSpec } from "../sweep/index-spec.ts";
import type { ParsedSlash } from "../slash/parse.ts";

const LIVE = ["running", "queued", "submitted", "unknown"];

/**
 * What a command would end or throw away, in words for the question "Do it?"; undefined for one
 * that can be taken back. Throws UserError for indices that cannot be read.
 */
export function whatItEnds(desk: Desk, { command, args }: ParsedSlash): string | undefined {
  const [first = "", second] = args;
  switch (command) {
    case "cancel_all": {
      const { total } = desk.status({ statuses: LIVE, limit: 1 });
      return `cancel ${total === 1 ? "the one live trial" : `all ${count(total, "live trial")}`}`;
    }
    case "stop":
      return "stop the monitor of this sweep; its trials go on";
    case "prune":
      return `prune ${named(parseIndexSpec(first))}: what they have not saved is lost`;
    case "cancel": {
      const indices = parseIndexSpec(first);
      return indices.length > 1 ? `cancel ${named(indices)}` : undefined;
    }
    case "run":
      return second === "force"
        ? `run ${named(parseIndexSpec(first))} again, also what is live or completed`
        : undefined;
    case "sh":
      return first === "dry_run" ? undefined : "let successive halving pause or prune trials now";
    default:
      return undefined;
  }
}

function named(indices: readonly number[]): string {
  return indices.length === 1
    ? `trial ${indices[0]}`
    : `${count(indices.length, "trial")} (${indices.slice(0, 12).join(", ")}${
      indices.length > 12 ? ", …" : ""
    })`;
}
