import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import { codeOf, readIfThere, replaceFile } from "../base/files.ts";
import type { Value } from "../sweep/value.ts";
import { diskError } from "./disk-error.ts";
import { requireLease } from "./lease.ts";
import { checkFinalName, metricSegments } from "./metric-name.ts";
import { memberOf, pythonJson, topLevelParts } from "./python-json.ts";

/** Writes what HyperHerd's `log_result` writes, for trainers in any language. */
export interface ResultLog {
  /** Sets one of a trial's final values; processes that do so at once lose nothing. */
  logFinal(trial: number, name: string, value: Value): Promise<void>;
  /** Adds one record to a metric's stream. Throws UserError for a name or a step that cannot be. */
  logStep(trial: number, name: string, step: number, value: Value): void;
}

/** Longer than another machine's silence must last before its lock is taken over. */
const LOCK_WAIT_MS = 120_000;
/** A trainer that writes the file in place needs far less to finish it. */
const UNFINISHED_MS = 1000;

/** `dir` is the workspace's `.hyperherd/results`. */
export function createResultLog({ dir, clock }: { dir: string; clock: Clock }): ResultLog {
  return {
    async logFinal(trial, name, value) {
      checkFinalName(name);
      const path = join(dir, `${trial}.json`);
      const cannot = `Cannot log "${name}" of trial ${trial}`;
      try {
        // Here, with the user's own umask: the lease would make it private.
        mkdirSync(join(dir, `${trial}`), { recursive: true });
        // A lock file that is only created and removed cannot be taken from a killed
        // holder without a moment in which two have it; the lease's numbers can.
        await using lease = await requireLease({
          dir: join(dir, `${trial}`, "_lock"),
          clock,
          waitMs: LOCK_WAIT_MS,
          purpose: `herd log ${name}`,
        });
        const members = await membersOf(path, clock);
        members.set(name, pythonJson(value));
        lease.assertHeld();
        replaceFile(path, finalText(members));
      } catch (error) {
        throw diskError(error, cannot);
      }
    },
    logStep(trial, name, step, value) {
      const segments = metricSegments(name);
      if (!Number.isSafeInteger(step)) {
        throw new UserError(`Cannot log "${name}": step "${step}" is not a whole number`);
      }
      const path = `${join(dir, `${trial}`, "stream", ...segments)}.jsonl`;
      const record = pythonJson({ step, value, ts: clock.now() / 1000 });
      try {
        mkdirSync(dirname(path), { recursive: true });
        appendLine(path, record);
      } catch (error) {
        throw nameTaken(error, name) ?? diskError(error, `Cannot log "${name}" of trial ${trial}`);
      }
    },
  };
}

/** Members as written, so that others' numbers keep every digit. */
async function membersOf(path: string, clock: Clock): Promise<Map<string, string>> {
  for (let waited = 0;; waited += 50) {
    const text = readIfThere(path);
    if (text === undefined) return new Map();
    const parts = topLevelParts(text, "{");
    const members = (parts?.items ?? []).map(memberOf);
    const whole = parts?.whole === true && !members.includes(undefined);
    if (!whole && waited < UNFINISHED_MS) {
      await clock.sleep(50);
      continue;
    }
    if (!whole) setAside(path, clock);
    return new Map(
      members.flatMap((member) => member === undefined ? [] : [[member.name, member.value]]),
    );
  }
}

/** The damaged file stays to look at; its whole values go into the new one. */
function setAside(path: string, clock: Clock): void {
  renameSync(path, `${path}.torn-${new Date(clock.now()).toISOString().replaceAll(/[:.]/g, "-")}`);
}

/** Flat object, indent 2, as Python's `json.dump(indent=2)` gives it. */
function finalText(members: ReadonlyMap<string, string>): string {
  const lines = [...members].map(([name, value]) => `  ${JSON.stringify(name)}: ${value}`);
  return `{\n${lines.join(",\n")}\n}`;
}

/** One write in append mode: lines of processes on one machine never mix. */
function appendLine(path: string, line: string): void {
  const file = openSync(path, "a+");
  try {
    const { size } = fstatSync(file);
    const last = new Uint8Array(1);
    const torn = size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 10;
    // After a line that a killed trainer left unfinished: only that one is lost, not ours too.
    writeSync(file, `${torn ? "\n" : ""}${line}\n`);
  } finally {
    closeSync(file);
  }
}

function nameTaken(error: unknown, name: string): UserError | undefined {
  if (!["EISDIR", "ENOTDIR", "EEXIST"].includes(codeOf(error) ?? "")) return undefined;
  return new UserError(`Cannot log "${name}": another metric's file has the name of its folder`, {
    hint: "Give the metric another name",
    cause: error,
  });
}
