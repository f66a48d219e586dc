import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { parse } from "dotenv";
import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import type { Notice } from "../sweep/config.ts";

/** What a workspace's `.env` sets. Values are secrets: notices hold names only. */
export interface Dotenv {
  values: Readonly<Record<string, string>>;
  notices: readonly Notice[];
}

/** Reads the file and changes nothing: not this process's environment, and so no job's. */
export function readDotenv(path: string): Dotenv {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { values: {}, notices: [] };
    throw unreadable(path, error);
  }
  try {
    const { mode } = fstatSync(file);
    const text = readFileSync(file, "utf8");
    const values = Object.fromEntries(Object.entries(parse(text)));
    return { values, notices: [...openness(path, mode), ...cutValues(path, text, values)] };
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    closeSync(file);
  }
}

function openness(path: string, mode: number): Notice[] {
  if ((mode & 0o077) === 0) return [];
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  return [{
    message: `Other users can read the secrets in "${path}" (mode ${octal}): ` +
      `protect it with chmod 600`,
    path,
  }];
}

/** HyperHerd took a `#` in a value as part of it; here, as everywhere else, it begins a comment. */
function cutValues(path: string, text: string, values: Readonly<Record<string, string>>): Notice[] {
  const notices: Notice[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    const match = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*([^\s'"`#][^#]*)#/.exec(line);
    const name = match?.[1];
    if (name === undefined || !Object.hasOwn(values, name)) return;
    if (/\s$/.test(match![2]!)) return;
    const message = `The value of ${name} ends before "#": put it in quotes to keep all of it`;
    notices.push({ message, path, line: i + 1 });
  });
  return notices;
}

function unreadable(path: string, error: unknown): UserError {
  return new UserError(`Cannot read "${path}": ${(error as Error).message}`, {
    hint: "Make it a file that you can read, or remove it",
    cause: error,
  });
}
