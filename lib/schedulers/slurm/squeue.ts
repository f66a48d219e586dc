import type { Sighting } from "../../sweep/sighting.ts";
import { keyOf } from "./task-key.ts";
import { parseEpoch } from "./quantities.ts";
import { exitOf, isOver, seenState } from "./states.ts";

/**
 * Every task of the user, one line each: `-r` because collapsed lists are cut,
 * `-t all` because ended jobs stay in sight for MinJobAge, the text form because
 * `--json` ignores filters and answers 0 with no jobs while the controller is down.
 * The name is last: it may hold the separator.
 */
export function squeueArgv(uid: number): string[] {
  const fields = [
    "ArrayJobID",
    "ArrayTaskID",
    "State",
    "RestartCnt",
    "StartTime",
    "EndTime",
    "exit_code",
    "NodeList",
    "Reason",
    "Name",
  ];
  const format = fields.map((field) => `${field}:|`).join(",");
  return ["squeue", "-h", "-r", "-t", "all", "-u", `${uid}`, "-O", format];
}

const LINE =
  /^(\d+)\|(\d+)\|([A-Z_]+)\|(\d*)\|([^|]*)\|([^|]*)\|(\d+(?::\d+)?)\|([^|]*)\|([^|]*)\|(.*)\|$/;

/** What squeue said, by task; lines that are no array task of this form are passed over. */
export function parseSqueue(text: string): Map<string, Sighting> {
  const seen = new Map<string, Sighting>();
  for (const line of text.split("\n")) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const sighting = sightingOf(match);
    seen.set(keyOf(sighting.jobId, sighting.task), sighting);
  }
  return seen;
}

function sightingOf(match: RegExpExecArray): Sighting {
  const [jobId = "", task, word = "", restarts = "", start = "", end = "", exit = "", nodes = ""] =
    match.slice(1);
  const [reason = "", jobName = ""] = match.slice(9);
  const found = seenState(word);
  const [code, signal] = waitStatus(exit);
  const state = found.state === "failed" && isLaunchFailure(reason, signal)
    ? "launch-failure"
    : found.state;
  // A pending task's start is a guess, a running one's end its limit; cancelled before its start it has no node.
  const began = state !== "pending" && nodes !== "";
  const ended = isOver(state) || state === "completing";
  return {
    jobId,
    task: Number(task),
    jobName,
    state,
    raw: found.raw,
    view: "queue",
    reason: reason === "None" || reason === "" ? undefined : reason,
    startedAt: began ? parseEpoch(start) : undefined,
    endedAt: ended ? parseEpoch(end) : undefined,
    node: nodes === "" ? undefined : nodes,
    ...exitOf(state, code, signal),
    restarts: restarts === "" ? undefined : Number(restarts),
    usage: undefined,
  };
}

/** A script that was killed has the reason JobLaunchFailure too, but a real signal; 53 is SLURM's own mark. */
function isLaunchFailure(reason: string, signal: number): boolean {
  return signal === 53 || (/^(JobLaunchFailure|launch.failed)/i.test(reason) && signal === 0);
}

/** squeue prints the raw wait status: 768 is exit 3, 9 is SIGKILL. */
function waitStatus(text: string): [code: number, signal: number] {
  const [first, second] = text.split(":").map(Number);
  return second === undefined ? [first! >> 8 & 255, first! & 127] : [first!, second];
}
