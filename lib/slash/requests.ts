import type { Request } from "../actions/desk.ts";
import { UserError } from "../base/errors.ts";
import { parseDuration } from "../sweep/duration.ts";
import { parseIndexSpec } from "../sweep/index-spec.ts";
import { parseMemory } from "../sweep/memory.ts";
import type { ParsedSlash } from "./parse.ts";

/** What an acting command asks the Desk for; undefined for one that only looks. Throws UserError. */
export function requestOf({ command, args }: ParsedSlash): Request | undefined {
  const [first = "", second = "", third] = args;
  const indices = () => parseIndexSpec(first);
  const why = (text: string) => text === "" ? {} : { reason: text };
  switch (command) {
    case "run":
      return { verb: "run", indices: indices(), ...(second === "force" ? { force: true } : {}) };
    case "run_all":
      return { verb: "run" };
    case "cancel":
      return { verb: "stop", indices: indices() };
    case "cancel_all":
      return { verb: "stop", indices: "all" };
    case "pause":
    case "resume":
    case "prune":
      return { verb: command, indices: indices(), ...why(second) };
    case "sh":
      return { verb: "halve", dryRun: first === "dry_run" };
    case "halt":
      return { verb: "halt", reason: first === "" ? "asked for with /halt" : first };
    case "continue":
      return { verb: "continue", ...why(first) };
    case "bump":
      return bumpOf(first, second, third);
    case "confirm":
      return { verb: "confirm", id: first, yes: true };
    case "deny":
      return { verb: "confirm", id: first, yes: false };
    case "tick":
      return { verb: "tick" };
    case "stop":
      return { verb: "leave", reason: "/stop" };
    default:
      return undefined;
  }
}

function bumpOf(what: string, amount: string, indices: string | undefined): Request {
  const request = {
    verb: "bump" as const,
    what: what === "mem" ? "memory" as const : "time" as const,
    resubmit: true,
    ...(indices === undefined ? {} : { trials: parseIndexSpec(indices) }),
  };
  const percent = /^\+?(\d{1,4})\s*%$/.exec(amount)?.[1];
  if (percent !== undefined) return { ...request, percent: Number(percent) };
  return { ...request, to: what === "mem" ? memoryOf(amount) : secondsOf(amount) };
}

function memoryOf(text: string): number {
  const mib = parseMemory(text);
  if (mib > 0) return mib;
  throw new UserError(`Cannot bump the memory to "${text}": wanted is more than 0`);
}

/** `2h`, `90m`, `1h30m`, `1d`, and whatever SLURM reads. */
function secondsOf(text: string): number {
  const match = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?:in)?)?$/i.exec(text);
  const [days = 0, hours = 0, minutes = 0] = (match ?? []).slice(1).map((n) => Number(n ?? 0));
  const seconds = match === null ? parseDuration(text) : (days * 24 + hours) * 3600 + minutes * 60;
  if (seconds !== null && seconds > 0) return seconds;
  throw new UserError(
    `Cannot bump the time to "${text}": wanted is a limit such as 2h or 1-00:00:00`,
  );
}
