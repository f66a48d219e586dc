import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { CONFIG_PLAYBOOK_NAME, loadPlaybook, PLAYBOOK_NAME } from "../agent/playbook.ts";
import type { Playbook } from "../agent/playbook.ts";
import { UserError } from "../base/errors.ts";
import { readIfThere } from "../base/files.ts";
import { findWorkspace, reasonOf } from "../store/workspace.ts";

export interface PlaybookInForce extends Playbook {
  /** The file; undefined when it is the built-in one. */
  path: string | undefined;
}

/** Reads the copies that override the built-in playbook. `root`: the workspace's folder, if there is one. */
export function readPlaybook(
  { root, env }: {
    root: string | undefined;
    env: Readonly<Record<string, string | undefined>>;
  },
): PlaybookInForce {
  const inWorkspace = root === undefined ? undefined : join(root, PLAYBOOK_NAME);
  const inConfig = join(configFolder(env), CONFIG_PLAYBOOK_NAME);
  const playbook = loadPlaybook({
    workspaceText: inWorkspace === undefined ? undefined : read(inWorkspace),
    configText: read(inConfig),
  });
  const paths = { "workspace": inWorkspace, "config": inConfig, "built-in": undefined };
  return { ...playbook, path: paths[playbook.source] };
}

/** The same for a workspace as a command names it; `optional`: there need be none. */
export function playbookFor(
  { workspace, optional, env }: {
    workspace: string;
    optional: boolean;
    env: Readonly<Record<string, string | undefined>>;
  },
): PlaybookInForce {
  return readPlaybook({ root: rootOf(workspace, optional), env });
}

function rootOf(workspace: string, optional: boolean): string | undefined {
  try {
    return findWorkspace(workspace).root;
  } catch (error) {
    if (optional && error instanceof UserError) return undefined;
    throw error;
  }
}

/** The XDG specification has relative paths ignored. */
function configFolder(env: Readonly<Record<string, string | undefined>>): string {
  const { XDG_CONFIG_HOME: xdg = "", HOME: home = homedir() } = env;
  return join(isAbsolute(xdg) ? xdg : join(home, ".config"), "herd");
}

function read(path: string): string | undefined {
  try {
    return readIfThere(path);
  } catch (error) {
    throw new UserError(`Cannot read playbook "${path}": ${reasonOf(error)}`, {
      hint: "Mend the file or move it away; without it the built-in playbook is used",
      cause: error,
    });
  }
}
