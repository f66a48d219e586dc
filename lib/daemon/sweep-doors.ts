import { realpathSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { findWorkspace } from "../store/workspace.ts";
import { holdSweep } from "./held-sweep.ts";
import type { HeldSweep } from "./held-sweep.ts";

/** A sweep for a moment: the daemon's own where it holds it, else opened for this. */
export interface SweepDoor extends AsyncDisposable {
  /** Absolute path of its YAML, links resolved: the same whoever names it. */
  path: string;
  held: Pick<HeldSweep, "desk" | "outside" | "env" | "record" | "perform" | "audit">;
}

export interface SweepDoors {
  /** By the name of a sweep that is held, or by a path. Throws UserError where there is none. */
  open(nameOrPath: string): Promise<SweepDoor>;
}

export interface SweepDoorsParts {
  /** A sweep that this process holds, by name or by the resolved folder. */
  find(nameOrFolder: string): HeldSweep | undefined;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  self: readonly string[];
}

export function createSweepDoors(parts: SweepDoorsParts): SweepDoors {
  function open(nameOrPath: string): SweepDoor {
    const named = parts.find(nameOrPath);
    if (named !== undefined) return lent(named);
    if (!isAbsolute(nameOrPath)) {
      throw new UserError(`Cannot find the sweep "${nameOrPath.slice(0, 200)}"`, {
        hint: "Give the path of its folder, or the name of one that the daemon holds",
      });
    }
    const { root } = findWorkspace(nameOrPath);
    const held = parts.find(realpathSync(root));
    if (held !== undefined) return lent(held);
    const own = holdSweep({
      path: nameOrPath,
      env: parts.env,
      clock: parts.clock,
      log: parts.log,
      self: parts.self,
      nameOf: (sweep) => sweep,
      noAgent: true,
      scheduler: undefined,
      canAsk: () => false,
      onAsk: () => {},
      options: {},
      onWarning: (message) => parts.log.write("warn", message, { path: nameOrPath }),
      runs: false,
    });
    own.outside.refresh();
    return {
      path: pathOf(own),
      held: own,
      [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
    };
  }

  return { open: (nameOrPath) => Promise.resolve().then(() => open(nameOrPath)) };
}

/** It stays the daemon's. */
function lent(held: HeldSweep): SweepDoor {
  return { path: pathOf(held), held, [Symbol.asyncDispose]: () => Promise.resolve() };
}

export function pathOf({ outside: { paths } }: Pick<HeldSweep, "outside">): string {
  try {
    return realpathSync(paths.config);
  } catch {
    // A YAML that went: what ran is still there.
    return paths.config;
  }
}
