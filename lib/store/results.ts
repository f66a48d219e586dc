import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { codeOf, readIfThere } from "../base/files.ts";
import type { Notice } from "../sweep/config.ts";
import { parseStream, readStream } from "../sweep/metrics.ts";
import type { Point } from "../sweep/metrics.ts";
import { isMetricName, metricSegments } from "./metric-name.ts";
import { memberOf, parsePythonJson, topLevelParts } from "./python-json.ts";

export interface Stream {
  points: readonly Point[];
  /** Where to read on: the end of the last whole line. */
  nextByte: number;
  /** Lines that could not be read. */
  skipped: number;
  /** The file is shorter than `fromByte`: it was read from its start. */
  restarted: boolean;
}

export interface Final {
  /** Empty when there is no file. */
  values: Readonly<Record<string, unknown>>;
  notices: readonly Notice[];
}

export interface LastStep {
  /** The stream that owns the highest last-logged step. */
  metric: string;
  step: number;
  /** Its last records, oldest first, for a rate. */
  recent: readonly Point[];
}

/** What trainers logged, read while they may be writing: nothing in a file makes these throw. */
export interface Results {
  /** Trials that have a results file or folder, ascending. Other names are passed over. */
  listTrials(): readonly number[];
  readFinal(trial: number): Final;
  /** Names of the trial's metrics, slashes included, sorted. */
  listStreams(trial: number): readonly string[];
  readStream(trial: number, metric: string, from?: { fromByte: number }): Stream;
  /** The last records of a stream out of its last 64 KB, oldest first. */
  lastPoints(trial: number, metric: string, most: number): readonly Point[];
  /** How far the trial is: the highest last-logged step over its metrics. */
  lastStep(trial: number): LastStep | undefined;
}

const TAIL_BYTES = 64 * 1024;
const RECENT = 80;

/** `dir` is the workspace's `.hyperherd/results`. */
export function createResults({ dir }: { dir: string }): Results {
  const streams = (trial: number) => join(dir, `${trial}`, "stream");
  const streamPath = (trial: number, metric: string) =>
    `${join(streams(trial), ...metricSegments(metric))}.jsonl`;

  function lastPoints(trial: number, metric: string, most: number): readonly Point[] {
    return inFile(streamPath(trial, metric), (file, size) => {
      const from = Math.max(0, size - TAIL_BYTES);
      const bytes = readAt(file, from, size);
      // The first line of a piece from the middle has lost its beginning.
      const start = from === 0 ? 0 : bytes.indexOf(10) + 1;
      return parseStream(wholeLines(bytes.subarray(start)).text).slice(-most);
    }) ?? [];
  }

  function listStreams(trial: number): readonly string[] {
    // A file with a newline in its name is no metric, and must not keep the others from being read.
    return [...metricsUnder(streams(trial), "")].filter(isMetricName).sort();
  }

  return {
    listTrials() {
      const trials = entriesOf(dir).flatMap(({ name }) =>
        /^(0|[1-9]\d{0,14})(\.json)?$/.exec(name)?.[1] ?? []
      );
      return [...new Set(trials.map(Number))].sort((a, b) => a - b);
    },
    readFinal: (trial) => readFinalFile(join(dir, `${trial}.json`), trial),
    listStreams,
    readStream(trial, metric, { fromByte } = { fromByte: 0 }) {
      return inFile(streamPath(trial, metric), (file, size) => {
        const restarted = size < fromByte;
        const from = restarted ? 0 : fromByte;
        const { text, bytes } = wholeLines(readAt(file, from, size));
        const { points, bad } = readStream(text);
        return { points, skipped: bad, nextByte: from + bytes, restarted };
      }) ?? { points: [], nextByte: 0, skipped: 0, restarted: fromByte > 0 };
    },
    lastPoints,
    lastStep(trial) {
      let last: LastStep | undefined;
      for (const metric of listStreams(trial)) {
        const recent = lastPoints(trial, metric, RECENT);
        const step = recent.at(-1)?.step;
        if (step !== undefined && (last === undefined || step > last.step)) {
          last = { metric, step, recent };
        }
      }
      return last;
    },
  };
}

function readFinalFile(path: string, trial: number): Final {
  const text = attempt(() => readIfThere(path));
  if (text === undefined) return { values: {}, notices: [] };
  if (text instanceof Error) {
    const message = `Cannot read the results of trial ${trial}: ${text.message}`;
    return { values: {}, notices: [{ message, path }] };
  }
  try {
    const values = parsePythonJson(text);
    if (isRecord(values)) return { values, notices: [] };
    const message = `The results of trial ${trial} are passed over: the file holds no object`;
    return { values: {}, notices: [{ message, path }] };
  } catch {
    const values = wholeMembers(text);
    const kept = Object.keys(values).length;
    const message = `The results file of trial ${trial} is torn or damaged: ` +
      (kept === 0 ? "nothing in it can be read yet" : `only its first values (${kept}) are read`);
    return { values, notices: [{ message, path }] };
  }
}

/** What a trainer that is cut off in the middle of writing has written whole. */
function wholeMembers(text: string): Record<string, unknown> {
  const members = (topLevelParts(text, "{")?.items ?? []).flatMap((part) => memberOf(part) ?? []);
  return Object.fromEntries(members.map(({ name, value }) => [name, parsePythonJson(value)]));
}

function* metricsUnder(folder: string, prefix: string): Iterable<string> {
  for (const entry of entriesOf(folder)) {
    // Links are not followed: one that leads upwards would never end.
    if (entry.isDirectory()) {
      yield* metricsUnder(join(folder, entry.name), `${prefix}${entry.name}/`);
    } else if (entry.name.endsWith(".jsonl") && entry.name !== ".jsonl") {
      yield prefix + entry.name.slice(0, -".jsonl".length);
    }
  }
}

function entriesOf(folder: string) {
  const entries = attempt(() => readdirSync(folder, { withFileTypes: true }));
  return entries instanceof Error ? [] : entries;
}

/** The whole lines only: what follows the last newline is still being written. */
function wholeLines(bytes: Uint8Array): { text: string; bytes: number } {
  const end = bytes.lastIndexOf(10) + 1;
  return { text: new TextDecoder().decode(bytes.subarray(0, end)), bytes: end };
}

function inFile<T>(path: string, use: (file: number, size: number) => T): T | undefined {
  const file = attempt(() => openSync(path, "r"));
  if (file instanceof Error) return undefined;
  try {
    const size = fstatSync(file).size;
    const used = attempt(() => use(file, size));
    return used instanceof Error ? undefined : used;
  } finally {
    closeSync(file);
  }
}

function readAt(file: number, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, to - from));
  let filled = 0;
  while (filled < bytes.length) {
    const got = readSync(file, bytes, filled, bytes.length - filled, from + filled);
    if (got === 0) break;
    filled += got;
  }
  return bytes.subarray(0, filled);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Error);
}

/** The failure of a read as a value: what a trainer does to its files is not our error. */
function attempt<T>(act: () => T): T | Error {
  try {
    return act();
  } catch (error) {
    if (error instanceof SyntaxError || codeOf(error) !== undefined) return error as Error;
    throw error;
  }
}
