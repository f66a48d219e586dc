import { UserError } from "../base/errors.ts";
import { formatDuration } from "./duration.ts";
import { formatMemory } from "./memory.ts";
import { createReport } from "./report.ts";
import { readYaml } from "./yaml-document.ts";
import { scalarText } from "./yaml-scalar-text.ts";
import { spliceYaml, type YamlEdit } from "./yaml-splice.ts";
import { commentsOf, difference, type Tree, treeOf, withValue } from "./yaml-tree.ts";

export type { YamlEdit };

/** How messages call the file. */
const FILE = "hyperherd.yaml";
const BOM = "\uFEFF";
/** SLURM counts minutes. */
const LEAST_SECONDS = 60;

/**
 * The YAML with these scalars set, in place: comments, order, quotes, indentation,
 * anchors, blank lines and line ends stay as they are everywhere else. Missing keys and
 * mappings on the way are made. Throws UserError when the file cannot be read, or when
 * it cannot be edited so that nothing else of what it says changes; the hint says what
 * to write by hand.
 */
export function editYaml(text: string, edits: readonly YamlEdit[]): string {
  const source = text.startsWith(BOM) ? text.slice(BOM.length) : text;
  const before = readTree(source);
  if (before.tree === undefined) {
    throw new UserError(`Cannot edit "${FILE}": ${before.error.message}`, {
      hint: `Mend the file. Then ${edits.map(byHand).join("; ")}`,
      mistakes: before.error.mistakes,
      cause: before.error,
    });
  }
  let edited = source;
  let wanted: Tree = before.tree;
  for (const edit of edits) {
    const spliced = spliceYaml(edited, edit);
    if (typeof spliced !== "string") throw refusal(edit, spliced.obstacle);
    wanted = withValue(wanted, edit.path, edit.value);
    checkOutcome(edit, wanted, edited, spliced);
    edited = spliced;
  }
  return text.slice(0, text.length - source.length) + edited;
}

/** Memory as SLURM and `slurm.mem` read it: whole units, exactly `mib` mebibytes. */
export function memoryYaml(mib: number): string {
  // 0 would ask for all of a node.
  if (!Number.isFinite(mib) || mib <= 0) throw new RangeError(`Not an amount of memory: ${mib}`);
  return formatMemory(mib);
}

/** Time as SLURM and `slurm.time` read it, in whole minutes, rounded up: `1:30:00`, `1-12:00:00`. */
export function timeYaml(seconds: number): string {
  // 0 would be no limit.
  if (!Number.isFinite(seconds) || seconds <= 0) {
    throw new RangeError(`Not a time limit: ${seconds}`);
  }
  const minutes = Math.ceil(seconds / LEAST_SECONDS);
  return formatDuration(minutes * LEAST_SECONDS).replace(/^0(?=\d:)/, "");
}

/** Reads the outcome again, as the next `herd run` will: nothing but the edit may be different. */
function checkOutcome(edit: YamlEdit, wanted: Tree, before: string, after: string): void {
  const { tree, error } = readTree(after);
  if (tree === undefined) throw refusal(edit, "the way it is written leaves no room", error);
  const at = difference(wanted, tree);
  const own = edit.path.join(".");
  if (at === own) throw refusal(edit, "the way it is written leaves no room");
  if (at !== undefined) throw refusal(edit, `${at} would change with it`);
  if (commentsOf(before).join("\n") !== commentsOf(after).join("\n")) {
    throw refusal(edit, "a comment would get lost");
  }
}

function readTree(
  source: string,
): { tree: Tree; error?: undefined } | { tree?: undefined; error: UserError } {
  const report = createReport(FILE);
  const root = readYaml(source, report);
  try {
    report.settle();
  } catch (error) {
    if (error instanceof UserError) return { error };
    throw error;
  }
  if (root === undefined) throw new Error("A YAML document got lost without a mistake");
  return { tree: treeOf(root) };
}

function refusal(edit: YamlEdit, state: string, cause?: unknown): UserError {
  return new UserError(`Cannot set ${edit.path.join(".")} in "${FILE}": ${state}`, {
    hint: `To do it by hand, ${byHand(edit)}`,
    cause,
  });
}

/** `write "mem: 12G" under "slurm"`. */
function byHand({ path, value }: YamlEdit): string {
  const owner = path.slice(0, -1).join(".");
  const where = owner === "" ? "at the top level" : `under "${owner}"`;
  return `write '${path.at(-1)}: ${scalarText(value)}' ${where}`;
}
