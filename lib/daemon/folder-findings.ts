import { lstatSync, statSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import type { Finding } from "../base/finding.ts";
import { probeFolder } from "../base/folder-probe.ts";
import type { FolderProbe } from "../base/folder-probe.ts";
import { freeSpace, mountOf } from "../base/mount.ts";
import type { FreeSpace, Mount } from "../base/mount.ts";
import { shellQuote } from "../base/text.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { refuseForeignOwner } from "../store/workspace.ts";
import { memoryText } from "../sweep/efficiency.ts";

const AREA = "Workspace";
const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const SLOW_SYNC_MS = 1_000;
/** Below this, clocks of two machines count as equal: NTP keeps well within, coarse file times do not. */
const SMALL_SKEW_MS = 2_500;

/** Tries out the folder of a workspace. `slurm`: other machines have to see it too. */
export function judgeFolder(
  paths: WorkspacePaths,
  { clock, slurm }: { clock: Clock; slurm: boolean },
): Finding[] {
  const foreign = ownerTrouble(paths);
  if (foreign !== undefined) return [foreign, ...judgeMount(mountOf(paths.root), slurm)];
  return [
    ...judgeMount(mountOf(paths.root), slurm),
    ...space(paths.root),
    ...judgeProbe(probeFolder(paths.root, clock), paths.root),
    ...judgeModes(paths),
  ];
}

function ownerTrouble(paths: WorkspacePaths): Finding | undefined {
  try {
    refuseForeignOwner(paths);
    return undefined;
  } catch (error) {
    return bad(
      (error as Error).message,
      "Copy the YAML and the launcher to a folder of your own and run herd there",
    );
  }
}

export function judgeMount(mount: Mount | undefined, slurm: boolean): Finding[] {
  if (mount === undefined) return [doubt("On which file system the folder is cannot be told")];
  const { type, folder, shared } = mount;
  if (shared === true) return [good(`It is on a shared file system (${type}, ${folder})`)];
  if (!slurm) return [good(`It is on ${type} (${folder})`)];
  const message = shared === false
    ? `It is on ${type} (${folder}), which is this machine's own`
    : `It is on ${type} (${folder}), which may be this machine's own`;
  return [doubt(
    message,
    "Compute nodes must see the same folder: try `herd run -i 0 --wait`, or move it",
  )];
}

function space(root: string): Finding[] {
  try {
    return judgeSpace(freeSpace(root));
  } catch (error) {
    return [doubt(`The free space cannot be learnt: ${(error as Error).message}`)];
  }
}

export function judgeSpace({ bytes, inodes }: FreeSpace): Finding[] {
  const text = `${memoryText(bytes)} free`;
  const findings = bytes < 50 * MIB
    ? [bad(`The disk is full: ${text}`, "Free some space; a full disk stops logs and results")]
    : bytes < GIB
    ? [doubt(`Little space is left: ${text}`)]
    : [good(`${text}${inodes === undefined ? "" : `, ${inodes} more files`}`)];
  // A trial has half a dozen files.
  if (inodes !== undefined && inodes < 10_000) {
    const message = `Only ${inodes} more files can be made`;
    const mend = "Remove or pack up files; each trial needs about six";
    findings.push(inodes < 100 ? bad(message, mend) : doubt(message, mend));
  }
  return findings;
}

export function judgeProbe(probe: FolderProbe, root: string): Finding[] {
  const { failed, hardLinks, exclusive, syncMs, skewMs } = probe;
  if (failed !== undefined) {
    return [bad(
      `Cannot ${failed.what} in it (${failed.code})`,
      `Check owner, mode and quota of ${shellQuote(root)}`,
    )];
  }
  const ms = Math.round(syncMs ?? 0);
  const findings = [
    exclusive ? good(`Writing, fsync and rename work (${ms} ms for a durable write)`) : bad(
      "The file system lets two create one name exclusively: commands could not be kept apart",
      "Use another file system",
    ),
  ];
  if (ms > SLOW_SYNC_MS) {
    findings.push(doubt(`A durable write takes ${ms} ms: commands will feel slow`));
  }
  if (!hardLinks) {
    findings.push(doubt("There are no hard links here; herd takes another, equally safe way"));
  }
  return [...findings, ...judgeSkew(skewMs)];
}

function judgeSkew(skewMs: number | undefined): Finding[] {
  if (skewMs === undefined) return [];
  if (Math.abs(skewMs) < SMALL_SKEW_MS) {
    return [good("The file server's clock and this machine's agree")];
  }
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  return [doubt(
    `The file server's clock is ${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} this machine's`,
    "Tell the site's staff; herd copes, but times of jobs are off by as much",
  )];
}

function judgeModes({ root, env, state }: WorkspacePaths): Finding[] {
  const findings: Finding[] = [];
  const mode = statSync(env, { throwIfNoEntry: false })?.mode;
  // An open one is among the workspace's own notices.
  if (mode !== undefined && (mode & 0o077) === 0) findings.push(good(".env is for you alone"));
  for (const folder of [root, state]) {
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined || found.isSymbolicLink()) continue;
    // With the sticky bit, or a group that works together, it is the user's choice.
    if ((found.mode & 0o002) === 0 || (found.mode & 0o1000) !== 0) continue;
    findings.push(bad(
      `Everybody may write into "${folder}", and so run programs as you`,
      `chmod o-w ${shellQuote(folder)}`,
    ));
  }
  return findings;
}

function good(message: string): Finding {
  return { area: AREA, mark: "good", message };
}

function doubt(message: string, mend?: string): Finding {
  return { area: AREA, mark: "doubt", message, ...(mend === undefined ? {} : { mend }) };
}

function bad(message: string, mend: string): Finding {
  return { area: AREA, mark: "bad", message, mend };
}
