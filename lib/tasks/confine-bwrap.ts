import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ConfinePaths, linkedFolders, type Shown, systemPaths } from "./confine-paths.ts";
import type { Sandbox } from "./sandbox.ts";

/** What the bubblewrap of this machine can do. */
export interface Bwrap {
  program: string;
  /** Whether it can keep the program from making user namespaces of its own (version 0.8, not set-uid). */
  disablesNamespaces: boolean;
}

/** What a task may not take away from those who look at it later. */
const KEPT = "agent-output.log";

/**
 * The words before the program. The root is empty but for what is named here: no home, no /run
 * with its sockets, no /tmp of others, no /var, no processes but the task's own.
 */
export function bwrapArguments(bwrap: Bwrap, sandbox: Sandbox, paths: ConfinePaths): string[] {
  const writable = sandbox.level === "workspace";
  const log = join(paths.folder.real, KEPT);
  return [
    bwrap.program,
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    ...(sandbox.network ? [] : ["--unshare-net"]),
    ...(bwrap.disablesNamespaces ? ["--disable-userns"] : []),
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    ...systemArguments(),
    "--proc",
    "/proc",
    // Else root may change the kernel's settings, for they belong to root's number and not to a capability.
    "--remount-ro",
    "/proc",
    "--dev",
    "/dev",
    "--tmpfs",
    "/tmp",
    "--symlink",
    "../tmp",
    "/var/tmp",
    ...paths.reads.flatMap((one) => bind("--ro-bind", one)),
    ...bind(writable ? "--bind" : "--ro-bind", paths.folder),
    ...(writable && existsSync(log) ? ["--ro-bind", log, log] : []),
    ...paths.writes.flatMap((one) => bind("--bind", one)),
    "--remount-ro",
    "/",
    "--",
  ];
}

function systemArguments(): string[] {
  const links = new Map(linkedFolders().map(({ path, to }) => [path, to]));
  return systemPaths().flatMap((path) => {
    const to = links.get(path);
    return to === undefined ? ["--ro-bind-try", path, path] : ["--symlink", to, path];
  });
}

/** Under its name and under its real one: programs ask for both. */
function bind(how: string, { path, real }: Shown): string[] {
  return path === real ? [how, real, real] : [how, real, real, how, real, path];
}
