import { fixedDigest } from "./definition.ts";
import type { Definition } from "./event.ts";
import { comparable, forceDigest, inForce } from "./overrides.ts";
import type { InForce, Passed } from "./overrides.ts";

/** What is known of a trial's latest attempt. Undefined: not known, as for a workspace of HyperHerd's. */
export interface Ran {
  /** `runDigest` of the attempt. */
  as?: string | undefined;
  /** `Definition.fixed` of the attempt. */
  fixed?: string | undefined;
  /** What it was given; by default what the trial's record says. */
  params?: Passed["params"] | undefined;
  extras?: Passed["extras"] | undefined;
}

/** Today's configuration against the one before. */
export interface Today {
  previous: Definition | undefined;
  next: Definition;
  /** As in the configuration. */
  launcher: string;
}

type Drift = (
  record: Passed & { ran?: Ran | undefined; accepted?: string | undefined },
  today: Passed,
) => string[];

/**
 * Makes the function that says in what a trial's latest run differs from what a
 * run today would be given, as phrases; none when it does not, or when the user
 * accepted that it does (`accepted` is today's run digest or `Definition.fixed`).
 */
export function createDrift({ previous, next, launcher }: Today): Drift {
  const isSameLauncher = previous === undefined ||
    previous.fixed === fixedDigest(previous.staticOverrides, launcher);

  return ({ params, extras, ran = {}, accepted }, today) => {
    const now = inForce(today, next.staticOverrides);
    const digest = forceDigest(now, launcher);
    if (accepted === digest || accepted === next.fixed || ran.as === digest) return [];

    const isNewest = previous === undefined || ran.fixed === next.fixed;
    const definition = isNewest ? next : previous;
    const given = { params: ran.params ?? params, extras: ran.extras ?? extras };
    const then = inForce(given, definition.staticOverrides);
    const what = differences(then, now);
    const isOldLauncher = !isNewest && !isSameLauncher;
    if (isOldLauncher) what.push("the launcher was another one");

    const isUnexplained = ran.as === undefined
      ? ran.fixed !== undefined && ran.fixed !== "" && ran.fixed !== definition.fixed
      : !isOldLauncher && ran.as !== forceDigest(then, launcher);
    if (isUnexplained) {
      what.push("it ran under an older configuration with other overrides or another launcher");
    }
    return what;
  };
}

function differences(then: InForce, now: InForce): string[] {
  const what: string[] = [];
  for (const [key, text] of now.values) {
    const old = then.values.get(key);
    if (old === undefined) what.push(`"${key}=${text}" is new`);
    else if (old !== text && comparable(old) !== comparable(text)) {
      what.push(`"${key}" was "${old}", is "${text}"`);
    }
  }
  for (const [key, text] of then.values) {
    if (!now.values.has(key)) what.push(`"${key}=${text}" is no longer given`);
  }
  if (then.flags.join("\0") !== now.flags.join("\0")) {
    what.push(`other words were ${list(then.flags)}, are ${list(now.flags)}`);
  }
  return what;
}

function list(words: readonly string[]): string {
  return words.length === 0 ? "none" : words.map((word) => JSON.stringify(word)).join(" ");
}
