import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import { count, shellQuote } from "../base/text.ts";
import { decodeUtf8 } from "../base/utf8.ts";
import type { Config, Notice } from "../sweep/config.ts";
import { csvColumns, parseCsv } from "../sweep/csv.ts";
import type { Row } from "../sweep/csv.ts";
import { exclusions, expand } from "../sweep/expand.ts";
import type { Expansion } from "../sweep/expand.ts";
import { readConfig } from "../sweep/read-config.ts";
import { readTrialsFile } from "../sweep/read-trials-file.ts";

/** The configuration as it is on disk now, and the trials that it asks for. */
export interface SweepFile {
  config: Config;
  expansion: Expansion;
  /** Of the CSV that the YAML names. */
  rows: readonly Row[] | undefined;
  notices: readonly Notice[];
}

/** Reads and expands the YAML (and the CSV that it names). Throws UserError with file, line and column. */
export function readSweepFile(path: string): SweepFile {
  return readSweepText(path, readText(path));
}

/** The same of a text that is not in its file yet. */
export function readSweepText(path: string, text: string): SweepFile {
  const { rows, columns } = readTrials(path, readTrialsFile(text));
  const { config, notices } = readConfig(text, { file: path, columns });
  const expansion = expand(config, rows);
  if (expansion.trials.length === 0) throw nothingLeft(path, config, expansion);
  return { config, expansion, rows, notices: [...notices, ...expansion.notices] };
}

function nothingLeft(path: string, config: Config, { excludedBy, counts }: Expansion): UserError {
  const message = `Cannot make a sweep of "${path}": the conditions exclude ` +
    `every one of ${count(counts.combinations, "combination")}: ${exclusions(excludedBy)}`;
  const hint = "Narrow one of them, or add values that none of them excludes";
  return new UserError(message, { hint, mistakes: [{ ...config.conditionsAt, message, hint }] });
}

/** The rows that a CSV file lists, and what its header names. `file` is as the YAML writes it. */
function readTrials(
  path: string,
  file: string | undefined,
): { rows: Row[] | undefined; columns: string[] } {
  if (file === undefined) return { rows: undefined, columns: [] };
  const text = readText(resolve(dirname(path), file), file);
  return { rows: parseCsv(text, file), columns: csvColumns(text, file) };
}

/** `file` is how a message about its text calls it. */
function readText(path: string, file = path): string {
  const decoded = decodeUtf8(readBytes(path));
  if ("text" in decoded) return decoded.text;
  const { badByte, line, column } = decoded;
  const byte = badByte.toString(16).toUpperCase().padStart(2, "0");
  const message = `Cannot read "${file}": found the byte 0x${byte} in line ${line}, ` +
    `column ${column}, expected UTF-8`;
  const hint = `Save it as UTF-8, for example: iconv -f latin1 -t utf-8 ${
    shellQuote(file)
  } > new-file`;
  throw new UserError(message, { hint, mistakes: [{ message, hint, file, line, column }] });
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`Cannot read "${path}": ${codeOf(error) ?? String(error)}`, {
      hint: codeOf(error) === "ENOENT" ? "`herd init` makes a new sweep" : "Check its permissions",
      cause: error,
    });
  }
}
