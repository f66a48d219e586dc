import type { ArgumentSpec, OptionSpec } from "../lib/base/arguments.ts";
import { NothingError, UserError } from "../lib/base/errors.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import { parseIndexSpec } from "../lib/sweep/index-spec.ts";
import { workspaceAndIndices } from "./smart-workspace.ts";

/** `[WORKSPACE] [INDEX...]`, for commands that act on trials. */
export const TRIAL_ARGUMENTS = [
  { name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." },
  { name: "INDEX", optional: true, repeatable: true, description: "The trials" },
] as const satisfies readonly ArgumentSpec[];

export const INDICES_OPTION = {
  name: "indices",
  short: "i",
  value: "SPEC",
  repeatable: true,
  description: "These trials, such as 0,3,7-9",
} as const satisfies OptionSpec;

export const REASON_OPTION = {
  name: "reason",
  value: "TEXT",
  description: "Why, for whoever reads the status later",
} as const satisfies OptionSpec;

export interface Chosen {
  /** As typed. */
  workspace: string;
  /** Ascending; undefined when the line names none. */
  indices: readonly number[] | undefined;
}

/** Which trials a line names, by INDEX or by --indices. Throws UserError for both at once. */
export function chosenTrials(
  positionals: readonly string[],
  specs: readonly string[],
  cwd: string,
): Chosen {
  const { workspace, indices: named } = workspaceAndIndices(positionals, cwd);
  if (named.length > 0 && specs.length > 0) {
    const list = named.join(",");
    throw new UserError(`Cannot tell which trials are meant: INDEX ${list} and --indices given`, {
      hint: `List them all in one place, such as --indices ${list},${specs.join(",")}`,
    });
  }
  if (named.length === 0 && specs.length === 0) return { workspace, indices: undefined };
  const indices = new Set([...named, ...specs.flatMap(parseIndexSpec)]);
  return { workspace, indices: [...indices].sort((a, b) => a - b) };
}

/** The same, for commands that need at least one trial. */
export function requireTrials(
  verb: string,
  positionals: readonly string[],
  specs: readonly string[],
  cwd: string,
): { workspace: string; indices: readonly number[] } {
  const { workspace, indices } = chosenTrials(positionals, specs, cwd);
  if (indices !== undefined) return { workspace, indices };
  throw new UserError(`Cannot ${verb}: no trial is named`, {
    hint: `Give an index, such as "herd ${verb} 3", or several: "herd ${verb} 0 3" or -i 0,3,7-9`,
  });
}

/** Nothing was ever submitted: said before anything is written into the workspace. */
export function refuseUnstarted(outside: Outside): void {
  outside.assertTakeable();
  if (outside.state().trials.size > 0) return;
  throw new NothingError("No trials yet: nothing was submitted from this workspace", {
    hint: "`herd ls` shows what the YAML asks for, `herd run` submits it",
  });
}
