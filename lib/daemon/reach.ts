import { existsSync, realpathSync } from "node:fs";
import { findWorkspace } from "../store/workspace.ts";
import { checkLauncher } from "./preflight.ts";
import { readSweepFile } from "./sweep-file.ts";

export { findDaemon } from "../control/find-daemon.ts";
export { placeOf } from "./remote.ts";

/**
 * Throws UserError when there is no workspace, its YAML cannot be understood, or
 * nothing could ever run. A sweep that has begun is monitored without its launcher too.
 */
export function checkWorkspace(path: string): void {
  const { config, root, journal } = findWorkspace(path);
  const { launcher } = readSweepFile(config).config;
  if (!existsSync(journal)) checkLauncher(root, launcher);
}

/** Whether a folder or YAML as a user names it is the workspace in `root`. */
export function sameWorkspace(given: string, root: string): boolean {
  return existsSync(root) && realpathSync(findWorkspace(given).root) === realpathSync(root);
}
