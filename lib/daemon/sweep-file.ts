import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import { count } from "../base/text.ts";
import type { Config, Notice } from "../sweep/config.ts";
import { parseCsv } from "../sweep/csv.ts";
import type { Row } from "../sweep/csv.ts";
import { exclusions, expand } from "../sweep/expand.ts";
import type { Expansion } from "../sweep/expand.ts";
import { readConfig } from "../sweep/read-config.ts";

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
  const { config, notices } = readConfig(readText(path), { file: path });
  const rows = config.trialsFile === undefined
    ? undefined
    : parseCsv(readText(resolve(dirname(path), config.trialsFile)), config.trialsFile);
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

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError(`Cannot read "${path}": ${codeOf(error) ?? String(error)}`, {
      hint: codeOf(error) === "ENOENT" ? "`herd init` makes a new sweep" : "Check its permissions",
      cause: error,
    });
  }
}
