import { basename, resolve } from "node:path";
import { explain } from "../base/explain.ts";
import { UserError } from "../base/errors.ts";
import { defineSweep } from "../sweep/definition.ts";
import { definitionChanges } from "../sweep/definition-changes.ts";
import { applyProposal, changeText, readProposal } from "../sweep/proposed-change.ts";
import type { FileChange } from "../sweep/proposed-change.ts";
import { withoutSecrets } from "../sweep/without-secrets.ts";
import { changeableFiles } from "./changeable-files.ts";
import type { Outside } from "./outside.ts";
import { checkLauncher } from "./preflight.ts";
import { checkFirstLine } from "./shebang.ts";
import { readSweepFile, readSweepText } from "./sweep-file.ts";

export interface JudgedChange {
  /** The YAML last: what it says of the launcher holds until then. */
  changes: readonly FileChange[];
  /** A unified diff against the files as they are now. */
  diff: string;
  /** What it means for the sweep, sentences without period. */
  notes: readonly string[];
}

/** Whether a proposed change fits the files as they are now and leaves a sweep that can be run. */
export function judgeProposal(
  { outside, env }: {
    outside: Pick<Outside, "paths" | "state" | "environment">;
    /** What it holds of secrets was shown to nobody, and is not shown now. */
    env: Readonly<Record<string, string>>;
  },
  text: string,
  names: readonly string[],
  /** Files as they were, where an earlier try has changed them already. */
  instead: ReadonlyMap<string, string> = new Map(),
): JudgedChange | { refused: string } {
  const { paths } = outside;
  const proposal = readProposal(text, names);
  if ("refused" in proposal) return proposal;
  const files = new Map(
    changeableFiles(paths, launcherOf(paths.config)).map((
      file,
    ) => [file.name, instead.get(file.name) ?? file.text]),
  );
  const made = applyProposal(proposal, files, (line) => withoutSecrets(line, env));
  if ("refused" in made) return made;
  const config = basename(paths.config);
  const changes = [...made].sort((a, b) => Number(a.name === config) - Number(b.name === config));
  try {
    return {
      changes,
      diff: withoutSecrets(changeText(changes), env),
      notes: notesOf(outside, changes),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const why = explain(error, "terminal").split("\n").slice(0, 3).join("; ");
    return { refused: `The proposed change cannot be used: with it, herd says: ${why}` };
  }
}

/** Throws UserError where the sweep would not be a valid one. */
function notesOf(
  { paths, state, environment }: Pick<Outside, "paths" | "state" | "environment">,
  changes: readonly FileChange[],
): string[] {
  const next = changes.find(({ name }) => name === basename(paths.config));
  const { config, rows } = next === undefined
    ? readSweepFile(paths.config)
    : readSweepText(paths.config, next.after);
  checkLauncher(paths.root, config.launcher);
  const launcher = changes.find(({ name }) => name === basename(config.launcher));
  const path = resolve(paths.root, config.launcher);
  const notes = launcher === undefined || launcher === next
    ? []
    : checkFirstLine(launcher.after, path, environment);
  return [
    ...notes,
    ...definitionChanges(state().definition, defineSweep(config, rows), config.launcher),
  ];
}

/** Of the YAML as it is; one with a mistake has none, and a change may mend it. */
function launcherOf(config: string): string | undefined {
  try {
    return readSweepFile(config).config.launcher;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
