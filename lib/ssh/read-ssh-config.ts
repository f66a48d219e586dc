import { statSync } from "node:fs";
import { join } from "node:path";
import { codeOf, readIfThere } from "../base/files.ts";
import { globFiles } from "./config-glob.ts";
import { splitLine, splitWords } from "./config-words.ts";
import { matchesPatterns } from "./host-pattern.ts";
import { fitsMatch } from "./match-line.ts";
import { SshError } from "./ssh-error.ts";

/** What the files say of one host before it is understood: keyword in small letters → its words. */
export interface ConfigValues {
  get(keyword: string): ConfigValue | undefined;
  /** All values of a keyword that collects, such as `identityfile`. */
  all(keyword: string): readonly ConfigValue[];
  /** What the files want and herd does not do, for people. */
  notices: readonly string[];
}

export interface ConfigValue {
  words: readonly string[];
  /** `file:line` where it stands, for errors. */
  place: string;
}

export interface ConfigQuestion {
  /** The name as the user typed it, without user and port. */
  host: string;
  /** From `user@host`; stands before all files. */
  user: string | undefined;
  port: number | undefined;
  localUser: string;
  home: string;
  /** The user's file and then the system's, each with where its relative includes are. */
  files: readonly ConfigFile[];
}

export interface ConfigFile {
  path: string;
  /** Folder of relative includes. */
  folder: string;
  /** A file of the user's that others may write is refused, as OpenSSH does. */
  guarded: boolean;
}

/** A state of reading: the first value of each keyword wins, over all files. */
interface Reading extends ConfigQuestion {
  values: Map<string, ConfigValue[]>;
  notices: Set<string>;
  /** What `Host` lines are compared with: the name, in a final pass the host name found. */
  compared: string;
  final: boolean;
  wantsFinal: boolean;
}

const COLLECTING = new Set(["identityfile", "certificatefile", "sendenv", "localforward"]);

/** The rest of the line is the value, whatever is in it. */
const WHOLE_LINE = new Set(["proxycommand", "proxyjump", "localcommand", "remotecommand"]);

const DEEPEST_INCLUDE = 16;

/** Reads what the files say of one host, as `ssh` reads them. Rejects a broken line with file and number. */
export function readSshConfig(question: ConfigQuestion): ConfigValues {
  const reading: Reading = {
    ...question,
    values: new Map(),
    notices: new Set(),
    compared: question.host,
    final: false,
    wantsFinal: false,
  };
  if (question.user !== undefined) put(reading, "user", [question.user], "the name");
  if (question.port !== undefined) put(reading, "port", [`${question.port}`], "the name");
  readAll(reading);
  if (reading.wantsFinal) {
    reading.compared = hostNameSoFar(reading).toLowerCase();
    reading.final = true;
    // A host name said only for the second reading comes too late, as with ssh.
    reading.values.set("hostname", [{ words: [reading.compared], place: "the first reading" }]);
    readAll(reading);
  }
  return {
    get: (keyword) => reading.values.get(keyword)?.[0],
    all: (keyword) => reading.values.get(keyword) ?? [],
    notices: [...reading.notices],
  };
}

function readAll(reading: Reading): void {
  for (const file of reading.files) readFile(reading, file, { active: true, never: false }, 0);
}

/** Whether lines count here, and whether no block inside may count. */
interface Standing {
  active: boolean;
  never: boolean;
}

function readFile(reading: Reading, file: ConfigFile, standing: Standing, depth: number): void {
  if (depth > DEEPEST_INCLUDE) {
    throw broken(file.path, 1, `Too many includes inside each other, at most ${DEEPEST_INCLUDE}`);
  }
  const text = textOf(file);
  if (text === undefined) return;
  let active = standing.active;
  for (const [index, line] of text.split("\n").entries()) {
    const split = splitLine(line);
    if (split === undefined) continue;
    const { keyword, rest } = split;
    const number = index + 1;
    if (rest === "") throw broken(file.path, number, `No argument after "${keyword}"`);
    const place = `${file.path}:${number}`;
    if (WHOLE_LINE.has(keyword)) {
      if (active) put(reading, keyword, [rest], place);
      continue;
    }
    const words = splitWords(rest);
    if (words === undefined) throw broken(file.path, number, "A quote is not closed");
    if (keyword === "host") {
      active = !standing.never && matchesPatterns(reading.compared, words);
    } else if (keyword === "match") {
      active = fitsMatch(words, matchFacts(reading, place), standing.never) && !standing.never;
    } else if (keyword === "include") {
      const inside = { active, never: standing.never || !active };
      for (const path of included(words, file.folder, reading.home)) {
        readFile(reading, { ...file, path }, inside, depth + 1);
      }
    } else if (active) put(reading, keyword, words, place);
  }
}

function matchFacts(reading: Reading, place: string) {
  return {
    host: hostNameSoFar(reading),
    originalHost: reading.host,
    user: reading.values.get("user")?.[0]?.words[0] ?? reading.localUser,
    localUser: reading.localUser,
    final: reading.final,
    place,
    wantFinal: () => void (reading.wantsFinal = true),
    notice: (text: string) => void reading.notices.add(text),
  };
}

function hostNameSoFar({ values, host, final, compared }: Reading): string {
  const told = values.get("hostname")?.[0]?.words[0];
  if (final) return compared;
  return told === undefined ? host : told.replace(/%([%h])/g, (_, one) => one === "h" ? host : "%");
}

function put(reading: Reading, keyword: string, words: readonly string[], place: string): void {
  const { values } = reading;
  const rival = keyword === "proxyjump" ? "proxycommand" : "proxyjump";
  if ((keyword === "proxyjump" || keyword === "proxycommand") && values.has(rival)) return;
  // To ssh this is the same as saying nothing: a later value counts.
  if (keyword === "connecttimeout" && words[0] === "none") return;
  const before = values.get(keyword);
  if (before === undefined) values.set(keyword, [{ words, place }]);
  else if (COLLECTING.has(keyword)) {
    const known = before.some((one) => one.words.join(" ") === words.join(" "));
    if (!known) before.push({ words, place });
  }
}

function included(words: readonly string[], folder: string, home: string): string[] {
  return words.flatMap((word) => {
    if (word === "~" || word.startsWith("~/")) return globFiles(join(home, word.slice(1)));
    return globFiles(word.startsWith("/") ? word : join(folder, word));
  });
}

function textOf({ path, guarded }: ConfigFile): string | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || stat.isDirectory()) return undefined;
    const others = stat.uid !== 0 && stat.uid !== process.getuid?.();
    if (guarded && (others || (stat.mode & 0o022) !== 0)) {
      throw new SshError("config", path, `Cannot use "${path}": others may write it`, {
        hint: `chmod 600 ${path}`,
      });
    }
    return readIfThere(path);
  } catch (error) {
    if (codeOf(error) === "EACCES" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function broken(path: string, line: number, what: string): SshError {
  return new SshError("config", path, `Cannot read "${path}", line ${line}: ${lower(what)}`, {
    hint: "ssh -G HOST says the same of this file",
  });
}

function lower(text: string): string {
  return text[0]!.toLowerCase() + text.slice(1);
}
