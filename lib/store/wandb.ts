import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { codeOf } from "../base/files.ts";
import type { Notice } from "../sweep/config.ts";
import type { Point } from "../sweep/metrics.ts";
import type { Logged } from "../sweep/wandb-history.ts";
import type { WandbRunFacts } from "../sweep/wandb-trial.ts";
import type { Results } from "./results.ts";
import { createWandbRunFolder } from "./wandb-run.ts";
import type { ReadOn, WandbRunFolder } from "./wandb-run.ts";

export interface WandbParts {
  /** Folders under which runs are: the workspace, where trainers run, `WANDB_DIR`. */
  roots: readonly string[];
  /** Which trial a run is of; asked again until it says one, since a run tells more as it goes. */
  trialOf(facts: WandbRunFacts): number | undefined;
  /** Metrics that are kept whole, such as the objective; of others the end is kept and the rest read again. */
  wanted: readonly string[];
  clock: Clock;
  /** Runs that began before (milliseconds) are an earlier life of the trial. */
  notBefore?(trial: number): number | undefined;
}

/**
 * What trainers logged to W&B on this file system, in the form of the results that
 * herd itself keeps. No network and no key: runs lie in `wandb/` folders also offline.
 */
export interface WandbResults extends Results {
  /**
   * Looks for new runs and reads what was appended, at most about 16 MiB, so that a
   * first look does not hold up everything; `more` asks to be called again.
   */
  refresh(): { more: boolean; notices: readonly Notice[] };
}

const BYTES_AT_ONCE = 16 * 1024 * 1024;
const RESCAN_MS = 60_000;
/** How deep below a root, and among how many entries, `wandb` folders are looked for. */
const DEEPEST = 4;
const MOST_ENTRIES = 20_000;
/** Points kept of a metric that is not wanted, and of one that is. */
const RECENT = 80;
const MOST_POINTS = 10_000;

const RUN = /^(?:offline-)?run-(\d{8}_\d{6})-/;

interface Known {
  source: WandbRunFolder;
  trial: number | undefined;
  /** Newest last; the whole course of a wanted metric, thinned when it is very long. */
  metrics: Map<string, Point[]>;
  told: boolean;
}

export function createWandb(parts: WandbParts): WandbResults {
  const runs = new Map<string, Known>();
  const wanted = new Set(parts.wanted);
  let folders: readonly string[] = [];
  let scannedAt = -Infinity;
  /** Where the last refresh stopped, so that no run starves behind a large one. */
  let turn = 0;

  function refresh() {
    if (parts.clock.now() - scannedAt >= RESCAN_MS) {
      folders = wandbFolders(parts.roots);
      scannedAt = parts.clock.now();
    }
    for (const folder of folders) {
      for (const name of namesIn(folder)) if (RUN.test(name)) learn(join(folder, name));
    }
    const notices: Notice[] = [];
    const all = [...runs.values()];
    let left = BYTES_AT_ONCE;
    let more = false;
    for (let i = 0; i < all.length; i++) {
      const known = all[(turn + i) % all.length]!;
      if (left <= 0) {
        turn = (turn + i) % all.length;
        return { more: true, notices };
      }
      const read = readOn(known, left);
      left -= read.bytes;
      more ||= read.more;
      notices.push(...noticesOf(known, read));
    }
    return { more, notices };
  }

  function learn(folder: string): void {
    // The same run by two roots, or by the link `latest-run`, has one path.
    if (runs.has(folder)) return;
    const source = createWandbRunFolder(folder);
    runs.set(folder, { source, trial: undefined, metrics: new Map(), told: false });
  }

  function readOn(known: Known, most: number): ReadOn {
    const fresh: Logged[] = [];
    const read = known.source.readOn(most, (logged) => fresh.push(logged));
    if (read.restarted) known.metrics.clear();
    for (const { metric, point } of fresh) keep(known, metric, point);
    known.trial ??= parts.trialOf({
      run: known.source.run,
      folder: known.source.folder,
      args: known.source.args(),
    });
    return read;
  }

  function keep({ metrics }: Known, metric: string, point: Point): void {
    const points = metrics.get(metric) ?? [];
    if (points.length === 0) metrics.set(metric, points);
    points.push(point);
    if (!wanted.has(metric)) {
      if (points.length >= 2 * RECENT) points.splice(0, points.length - RECENT);
    } else if (points.length > MOST_POINTS) {
      // Every second one of the older half: the end stays exact, the beginning gets coarser.
      const half = points.length >> 1;
      const older = points.splice(0, half).filter((_, i) => i % 2 === 0);
      points.unshift(...older);
    }
  }

  /** In the order in which they began: of two runs of one trial the later one says how it goes. */
  function runsOf(trial: number): Known[] {
    const since = parts.notBefore?.(trial);
    return [...runs.values()].filter((known) =>
      known.trial === trial && !startedBefore(known, since)
    ).sort((a, b) => byBeginning(a.source.folder, b.source.folder));
  }

  function pointsOf(trial: number, metric: string): Point[] {
    return runsOf(trial).flatMap(({ source, metrics }) => {
      const kept = metrics.get(metric);
      if (kept === undefined) return [];
      const whole = wanted.has(metric) || kept.length < RECENT;
      return whole ? kept : source.history(metric);
    });
  }

  function lastPoints(trial: number, metric: string, most: number): readonly Point[] {
    return runsOf(trial).flatMap(({ metrics }) => metrics.get(metric) ?? []).slice(-most);
  }

  function listStreams(trial: number): readonly string[] {
    return [...new Set(runsOf(trial).flatMap(({ metrics }) => [...metrics.keys()]))].sort();
  }

  return {
    refresh,
    listTrials() {
      const found = [...runs.values()].flatMap(({ trial }) => trial ?? []);
      return [...new Set(found)].sort((a, b) => a - b);
    },
    readFinal(trial) {
      const values: Record<string, unknown> = {};
      for (const { source } of runsOf(trial)) {
        for (const [name, value] of source.summary()) {
          if (!name.startsWith("_")) Object.defineProperty(values, name, plainMember(value));
        }
      }
      return { values, notices: [] };
    },
    listStreams,
    readStream(trial, metric, { fromByte } = { fromByte: 0 }) {
      // Runs are merged and thinned, so there is no place to read on from.
      const points = pointsOf(trial, metric);
      return { points, nextByte: points.length, skipped: 0, restarted: fromByte > 0 };
    },
    lastPoints,
    lastStep(trial) {
      let last: ReturnType<Results["lastStep"]>;
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

/** "__proto__" is a name like any other. */
function plainMember(value: unknown): PropertyDescriptor {
  return { value, enumerable: true, configurable: true, writable: true };
}

/** Clocks of nodes differ by a little. */
const SLACK_MS = 60_000;

function startedBefore({ source }: Known, since: number | undefined): boolean {
  const { startedAt } = source.run;
  return since !== undefined && startedAt !== undefined && startedAt < since - SLACK_MS;
}

function noticesOf(known: Known, { foreign, damaged }: ReadOn): Notice[] {
  if (known.told || (!foreign && damaged === 0)) return [];
  known.told = true;
  const { folder } = known.source;
  const message = foreign
    ? `Cannot read the W&B run "${basename(folder)}": its file has a format that is not known here`
    : `The W&B run "${basename(folder)}" is damaged in places, which are passed over`;
  return [{ message, path: folder }];
}

/** By the date in the name; it is the trainer's local time, of one time zone within a cluster. */
function byBeginning(a: string, b: string): number {
  const [left, right] = [a, b].map((path) => RUN.exec(basename(path))?.[1] ?? "");
  return left! < right! ? -1 : left! > right! ? 1 : a < b ? -1 : 1;
}

/** The `wandb` folders at and under the roots. Links are not followed: one upwards would never end. */
function wandbFolders(roots: readonly string[]): string[] {
  const found = new Set<string>();
  let left = MOST_ENTRIES;
  const open = [...new Set(roots)].map((path) => ({ path, depth: 0 }));
  // Breadth first: what lies near is found also where a tree is too large to be looked through.
  for (let next = open.shift(); next !== undefined && left > 0; next = open.shift()) {
    const { path, depth } = next;
    if (isWandb(basename(path))) {
      found.add(path);
      continue;
    }
    for (const entry of foldersIn(path)) {
      left -= 1;
      if (isWandb(entry)) found.add(join(path, entry));
      else if (depth < DEEPEST && !IGNORED.test(entry)) {
        open.push({ path: join(path, entry), depth: depth + 1 });
      }
    }
  }
  return [...found];
}

/** W&B writes into `.wandb` where such a folder is. */
function isWandb(name: string): boolean {
  return name === "wandb" || name === ".wandb";
}

const IGNORED = /^(\..*|node_modules|__pycache__|site-packages|checkpoints?)$/;

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (codeOf(error) !== undefined) return [];
    throw error;
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (codeOf(error) !== undefined) return [];
    throw error;
  }
}
