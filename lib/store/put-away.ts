import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { diskError } from "./disk-error.ts";
import type { WorkspacePaths } from "./paths.ts";

/** Whether anything was logged under this name, which is a trial's index or a test's own. */
export function hasResults(paths: WorkspacePaths, id: string): boolean {
  return filesOf(paths, id).length > 0;
}

/**
 * Moves what was logged under this name to `.hyperherd/tests/<id>/<label>`:
 * steps of a test would count as the trial's own in tables and in successive
 * halving. Gives back the folder, undefined when there was nothing.
 */
export function putResultsAway(
  paths: WorkspacePaths,
  id: string,
  label: string,
): string | undefined {
  const names = filesOf(paths, id);
  if (names.length === 0) return undefined;
  const folder = join(paths.state, "tests", id, label);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of names) renameSync(join(paths.results, name), join(folder, name));
  } catch (error) {
    throw diskError(error, `Cannot put the results of a test away to "${folder}"`);
  }
  return folder;
}

function filesOf({ results }: WorkspacePaths, id: string): string[] {
  return [`${id}.json`, id].filter((name) => existsSync(join(results, name)));
}
