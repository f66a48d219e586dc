import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { WorkspaceFiles } from "../actions/parts.ts";
import { codeOf, replaceFile, syncDirectory } from "../base/files.ts";
import { readHome } from "../store/home.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { createRecordReader } from "../store/records.ts";
import { createResults } from "../store/results.ts";
import { createSignals } from "../store/signals.ts";
import { changeableFile, keepBackup, replaceChangeable } from "./changeable-files.ts";

/** The store's files as the verbs want them. */
export function createWorkspaceFiles(paths: WorkspacePaths): WorkspaceFiles {
  const records = createRecordReader({ dir: paths.events });
  const signals = createSignals({ dir: paths.results });
  const results = createResults({ dir: paths.results });
  return {
    root: paths.root,
    home: () => readHome(paths),
    scriptPath: paths.batchScript,
    writeSubmission(submission, { script, table }) {
      const folder = dirname(paths.batchScript(submission));
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      mkdirSync(join(paths.events, submission), { recursive: true, mode: 0o700 });
      writeDurably(paths.table(submission), table, 0o600);
      writeDurably(paths.batchScript(submission), script, 0o700);
      syncDirectory(folder);
    },
    voidSubmission(submission) {
      writeDurably(paths.voidMarker(submission), "", 0o600);
      syncDirectory(dirname(paths.voidMarker(submission)));
    },
    unvoidSubmission: (submission) => rmSync(paths.voidMarker(submission), { force: true }),
    // It is asked for at each look; a trainer that reads it meanwhile should find it whole.
    writeSignal(trial, signal) {
      if (signals.read(trial)?.action !== signal) signals.write(trial, signal);
    },
    clearSignals(tasks) {
      // A folder tells for all first attempts at once; ten thousand files need not be looked for
      // on a network disk. A listing may be a minute old there, so later attempts are not asked of it.
      const known = new Set(namesIn(paths.results));
      for (const { trial, attempt } of tasks) {
        if (attempt > 1 || known.has(`${trial}`)) signals.clear(trial);
      }
    },
    readMetric: (trial, metric) => results.readStream(trial, metric).points,
    readRecords: (tasks) => records.read(tasks),
    readConfigText: () => readFileSync(paths.config, "utf8"),
    readChangeable: (name) => changeableFile(paths, name).text,
    replaceChangeable: (name, text) => replaceChangeable(paths, name, text),
    keepBackup: (change, name, text) => keepBackup(paths, change, name, text),
    replaceConfigText: (text) => replaceWithMode(paths.config, text),
  };
}

/** A link stays one: what it points to is replaced. */
function replaceWithMode(path: string, text: string): void {
  const real = realpathSync(path);
  replaceFile(real, text, statSync(real).mode & 0o777);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

function writeDurably(path: string, text: string, mode: number): void {
  const file = openSync(path, "w", mode);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
