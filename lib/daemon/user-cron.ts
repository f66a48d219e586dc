import { readFileSync, statSync } from "node:fs";
import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import type { CronJob } from "../chat/broker-config.ts";
import { readJob } from "../chat/read-broker-cron.ts";
import { readTomlNode } from "../chat/toml-node.ts";
import { createReport } from "../sweep/report.ts";
import { readYaml } from "../sweep/yaml-document.ts";
import type { MappingNode, Node } from "../sweep/yaml-node.ts";
import { parseCron } from "../tasks/cron.ts";
import { isTimeZone } from "../tasks/cron-zone.ts";

export interface UserCronParts {
  /** Absolute; undefined: there is none. */
  path(): string | undefined;
  /** A sentence without a period, told once for each change of the file. */
  onTrouble(message: string): void;
}

const MOST_BYTES = 1024 * 1024;
const MOST_JOBS = 200;

/**
 * The jobs of the user's own file, YAML or TOML, read again when it changes. What is wrong with one entry costs that
 * entry; a file that cannot be read as a whole leaves the jobs as they were; one that is gone has none.
 */
export function createUserCron({ path, onTrouble }: UserCronParts): () => readonly CronJob[] {
  let seen: string | undefined;
  let jobs: readonly CronJob[] = [];

  function forget(): readonly CronJob[] {
    seen = undefined;
    jobs = [];
    return jobs;
  }

  return () => {
    const file = path();
    if (file === undefined) return forget();
    try {
      const { mtimeMs, size, ino, ctimeMs } = statSync(file);
      const look = `${file} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
      if (look === seen) return jobs;
      seen = look;
      if (size > MOST_BYTES) {
        onTrouble(`Cannot read "${file}": found ${size} bytes, expected at most ${MOST_BYTES}`);
        return jobs;
      }
      jobs = readJobs(readFileSync(file, "utf8"), file, onTrouble) ?? jobs;
      return jobs;
    } catch (error) {
      if (codeOf(error) === "ENOENT") return forget();
      const message = `Cannot read "${file}": ${(error as Error).message}`;
      if (seen !== message) onTrouble(message);
      seen = message;
      return jobs;
    }
  };
}

/** Undefined when it is no file of jobs at all. */
function readJobs(
  text: string,
  file: string,
  onTrouble: (message: string) => void,
): readonly CronJob[] | undefined {
  if (text.replace(/^\uFEFF/, "").split("\n").every((line) => /^\s*(#.*)?$/.test(line))) return [];
  const report = createReport(file);
  const isToml = /\.toml$/i.test(file);
  const root = isToml ? readTomlNode(text, report) : readYaml(text, report, {
    begin: 'Write "jobs:" and below it what is asked when',
    example: "jobs:",
  });
  const list = root === undefined ? undefined : at(root, "jobs");
  if (root !== undefined && list?.kind !== "list") {
    const wanted = isToml ? '"[[jobs]]" is wanted above each' : 'a list is wanted below "jobs"';
    report.mistake(list ?? root.head, `Cannot read the jobs: ${wanted}`);
  }
  if (!isSettled(report.settle, onTrouble) || list?.kind !== "list") return undefined;
  if (list.items.length > MOST_JOBS) {
    onTrouble(`Left out all but ${MOST_JOBS} of the ${list.items.length} jobs of "${file}"`);
  }
  return list.items.slice(0, MOST_JOBS).flatMap((item) => readOne(item, file, onTrouble));
}

function at({ entries }: MappingNode, key: string): Node | undefined {
  return entries.find((one) => one.key === key)?.value;
}

function readOne(item: Node, file: string, onTrouble: (message: string) => void): CronJob[] {
  const report = createReport(file);
  const job = readJob(item, { parse: parseCron, isTimeZone }, report);
  return isSettled(report.settle, onTrouble) && job !== undefined ? [job] : [];
}

function isSettled(settle: () => void, onTrouble: (message: string) => void): boolean {
  try {
    settle();
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, mistakes = [], hint } = error;
    const all = mistakes.map((one) => `line ${one.line}: ${one.message}`).join("; ");
    const what = mistakes.length > 1 ? `${message}: ${all}` : message;
    onTrouble(hint === undefined ? what : `${what}. ${hint}`);
    return false;
  }
}
