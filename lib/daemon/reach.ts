import { realpathSync } from "node:fs";
import { findWorkspace } from "../store/workspace.ts";
import { readSweepFile } from "./sweep-file.ts";

export { findDaemon } from "../control/find-daemon.ts";
export { placeOf } from "./remote.ts";

/** Throws UserError when there is no workspace, or its YAML cannot be understood. */
export function checkWorkspace(path: string): void {
  readSweepFile(findWorkspace(path).config);
}

/** Whether a folder or YAML as a user names it is the workspace in `root`. */
export function sameWorkspace(given: string, root: string): boolean {
  return realpathSync(findWorkspace(given).root) === realpathSync(root);
}
