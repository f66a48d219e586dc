import { accessSync, constants, lstatSync, readlinkSync, symlinkSync } from "node:fs";
import { codeOf } from "../../base/files.ts";

/**
 * The small parent of every batch script. It claims the task, runs the script in
 * a process group of its own, hands signals on, and writes down how it ended, so
 * that neither the end nor the once-ness of a task depends on the supervisor.
 *
 * - A claim and an end are symbolic links: made by one system call with their
 *   whole text, and by one maker only. Who finds a claim made runs nothing.
 * - `command -p` finds ln whatever the job's PATH is; `-p` of bash keeps the
 *   job's BASH_ENV and functions out of here and in the script's environment.
 * - With `set -m` the script leads its own group and can trap INT, which bash
 *   otherwise takes from background children; waiting with it would return at
 *   each stop, so it is lifted again.
 * - `wait` answers 137 for "exit 137" and for a KILL. `jobs` tells them apart: it
 *   says "Exit 137" and keeps silent about a job whose death by signal was
 *   announced. It must be asked before the last `wait`, which forgets the job.
 * - A second `wait` after `kill -0` failed gets the true code, where a first one
 *   that a signal interrupted answered with the signal's.
 */
const SHIM = `
_herd_run=$1 _herd_where=$2 _herd_script=$3 _herd_child= _herd_held= _herd_stat= _herd_jobs=
shift 3
_herd_pass() {
  if [ -n "$_herd_child" ]; then kill -s "$1" "$_herd_child"; else _herd_held="$_herd_held $1"; fi
}
for _herd_name in "$@"; do trap "_herd_pass $_herd_name" "$_herd_name"; done
read -r _herd_stat </proc/$$/stat; set -- \${_herd_stat##*) }
command -p ln -sn "$$ \${20} $_herd_where" "$_herd_run.claim" 2>/dev/null || exit 0
trap : CHLD
set -m
"$BASH" "$_herd_script" &
_herd_child=$!
set +m
exec >/dev/null 2>&1
for _herd_name in $_herd_held; do kill -s "$_herd_name" "$_herd_child"; done
set -o posix
while kill -0 "$_herd_child"; do wait "$_herd_child"; done
_herd_jobs=$(jobs)
wait "$_herd_child"; _herd_code=$?
read -r _herd_stat </proc/$$/stat; set -- \${_herd_stat##*) }
_herd_how=exit
if [ "$_herd_code" -gt 128 ]; then
  case $_herd_jobs in *"$_herd_code"*) ;; *) _herd_how=signal ;; esac
fi
command -p ln -sn "$_herd_how $_herd_code \${14} \${15}" "$_herd_run.end"
exit "$_herd_code"
`;

/**
 * What a batch script may want to hear of; a signal outside this list ends the
 * shim. Not CONT: it comes with each TERM, and of two signals that bash traps
 * while it waits it may lose one (bash 5.2: TERM came through in 1 of 15 runs).
 */
const PASSED = ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "ALRM", "XCPU", "WINCH"];

/** Who holds a task: the shim's process, or nobody because the supervisor voided it. */
export type Claim = { void: true } | {
  void: false;
  pid: number;
  start: string;
  host: string;
  boot: string;
};

/** How a script ended. `at` in milliseconds since the epoch; ticks are of the shim's children. */
export interface ShimEnd {
  exitCode: number | undefined;
  /** Signal number. */
  signal: number | undefined;
  cpuTicks: number;
  at: number;
}

/** The command line of one task's shim. `run` is the path that `.claim` and `.end` are added to. */
export function shimArgv(
  run: string,
  place: { host: string; boot: string },
  script: string,
  signal: string | undefined,
): string[] {
  const passed = signal === undefined || PASSED.includes(signal) ? PASSED : [...PASSED, signal];
  const where = `${place.boot} ${place.host}`;
  return [findBash(), "-p", "-c", SHIM, "herd-task", run, where, script, ...passed];
}

/** The task's claim; undefined while nobody holds it. */
export function readClaim(run: string): Claim | undefined {
  const text = readLink(`${run}.claim`);
  if (text === undefined) return undefined;
  const [pid, start, boot, ...host] = text.split(" ");
  if (text === "void" || pid === undefined || start === undefined) return { void: true };
  return { void: false, pid: Number(pid), start, boot: boot ?? "", host: host.join(" ") };
}

/** Takes the claim so that no shim ever can. False when a shim was faster. */
export function voidClaim(run: string): boolean {
  try {
    symlinkSync("void", `${run}.claim`);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** How the shim says that its script ended; undefined while it has not said it. */
export function readEnd(run: string): ShimEnd | undefined {
  const text = readLink(`${run}.end`);
  if (text === undefined) return undefined;
  const [how, code, user, system] = text.split(" ");
  const number = Number(code);
  return {
    exitCode: how === "exit" ? number : undefined,
    signal: how === "signal" ? number - 128 : undefined,
    cpuTicks: Number(user) + Number(system),
    at: lstatSync(`${run}.end`).mtimeMs,
  };
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** By its path: the name alone would be looked up on the job's PATH. */
function findBash(): string {
  const folders = ["/bin", "/usr/bin", ...(process.env["PATH"] ?? "").split(":")];
  for (const folder of folders) {
    const path = `${folder}/bash`;
    try {
      accessSync(path, constants.X_OK);
      if (path.startsWith("/")) return path;
    } catch {
      // Not here.
    }
  }
  return "/bin/bash";
}
