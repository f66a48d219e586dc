import { createHash } from "node:crypto";
import { refuse } from "./outcome.ts";
import type { Refusal } from "./outcome.ts";
import type { Parts } from "./parts.ts";

export interface ChangeFilesAction {
  /** Names the change, for its backup: letters, digits, dots and dashes. */
  id: string;
  files: readonly {
    /** Of the YAML or the launcher. */
    name: string;
    /** SHA-256 of the text as it was when somebody looked at the change. */
    before: string;
    text: string;
  }[];
}

export interface ChangeFilesResult {
  done: true;
  /** `had`: all of it was there before; a repeated call, or one that a crash cut off after its edit. */
  how: "changed" | "had";
  /** Where the files as they were are kept. */
  backups: readonly string[];
}

/**
 * Puts new texts in the place of the YAML and the launcher, when they are still what somebody saw
 * who agreed to it. The files as they were are kept first. What a crash cut off between two files
 * is completed by the same call again.
 */
export function changeFiles(parts: Parts, { id, files }: ChangeFilesAction):
  | ChangeFilesResult
  | Refusal {
  const found = files.map((file) => {
    const now = parts.files.readChangeable(file.name);
    return { ...file, now, isDone: now === file.text, isSame: digestOf(now) === file.before };
  });
  const changed = found.find(({ isDone, isSame }) => !isDone && !isSame);
  if (changed !== undefined) {
    return refuse(`Cannot change "${changed.name}": it was changed meanwhile`, {
      hint: "Ask for a new proposal, or edit it by hand",
      facts: { file: changed.name },
    });
  }
  const due = found.filter(({ isDone }) => !isDone);
  const backups = due.map(({ name, now }) => parts.files.keepBackup(id, name, now));
  parts.fault("change-kept");
  for (const { name, text } of due) {
    parts.files.replaceChangeable(name, text);
    parts.fault("change-made");
  }
  return { done: true, how: due.length === 0 ? "had" : "changed", backups };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
