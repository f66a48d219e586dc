import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { WorkspaceFiles } from "../actions/parts.ts";
import { syncDirectory } from "../base/files.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { createRecordReader } from "../store/records.ts";
import { createResults } from "../store/results.ts";
import { createSignals } from "../store/signals.ts";

/** The store's files as the verbs want them. */
export function createWorkspaceFiles(paths: WorkspacePaths): WorkspaceFiles {
  const records = createRecordReader({ dir: paths.events });
  const signals = createSignals({ dir: paths.results });
  const results = createResults({ dir: paths.results });
  return {
    root: paths.root,
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
    writeSignal: signals.write,
    clearSignal: signals.clear,
    readMetric: (trial, metric) => results.readStream(trial, metric).points,
    readRecords: (tasks) => records.read(tasks),
  };
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

/** The text of a submission's script as it was submitted, for people. */
export function readScript(paths: WorkspacePaths, submission: string): string {
  return readFileSync(paths.batchScript(submission), "utf8");
}
