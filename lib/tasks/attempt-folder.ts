import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  writeFileSync,
} from "node:fs";
import { isAbsolute, join } from "node:path";
import { RefusedError } from "../base/errors.ts";
import { codeOf, replaceFile } from "../base/files.ts";
import {
  DATA_FOLDER,
  HOME_FOLDER,
  INSTRUCTIONS_FILE,
  RESULT_FILE,
  TASK_FILE,
  TOOLS_FILE,
} from "./attempt-files.ts";
import { attemptInstructions } from "./attempt-instructions.ts";
import type { Sandbox } from "./sandbox.ts";
import { DATA_NAME } from "./task-data.ts";
import type { TaskFile } from "./task-data.ts";

export interface AttemptFolderParts {
  /** Absolute; the worker's own folder. */
  root: string;
  task: string;
  epoch: number;
  prompt: string;
  sandbox: Sandbox;
  /** Text of the operator's TOOLS.md. */
  tools?: string | undefined;
  /** What the task came with. */
  data?: readonly TaskFile[] | undefined;
  /** Names of those to which a change may be proposed. */
  proposes?: readonly string[] | undefined;
}

export interface AttemptFolder {
  path: string;
  /** `TASK:EPOCH`. */
  name: string;
  /** The text of AGENTS.md. */
  instructions: string;
}

/** The first letter keeps out `.`, `..` and options. */
const TASK_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const MOST_EPOCH = 999_999_999;
/** Bytes of a result that are read; more is cut. */
const RESULT_BYTES = 1024 * 1024;

/** `<root>/tasks/<task id>/<epoch>`. Throws RefusedError for an id that could lead elsewhere. */
export function attemptPath(root: string, task: string, epoch: number): string {
  if (!isAbsolute(root)) throw new RefusedError(`Cannot use "${root}": it is no absolute path`);
  if (!TASK_ID.test(task)) {
    throw new RefusedError(
      `Cannot make a folder for task ${JSON.stringify(task)}: an id has letters, digits, ` +
        `".", "_" and "-" only, and begins with a letter or digit`,
    );
  }
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > MOST_EPOCH) {
    throw new RefusedError(
      `Cannot make a folder for attempt ${epoch} of "${task}": no such number`,
    );
  }
  return join(root, "tasks", task, String(epoch));
}

/**
 * Makes the folder with TASK.txt, AGENTS.md and, where there is one, TOOLS.md. Throws RefusedError
 * when it is there already (this attempt was begun before) or when a link stands in its way.
 */
export function makeAttemptFolder(parts: AttemptFolderParts): AttemptFolder {
  const path = attemptPath(parts.root, parts.task, parts.epoch);
  const name = `${parts.task}:${parts.epoch}`;
  for (const folder of [join(parts.root, "tasks"), join(path, "..")]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!lstatSync(folder).isDirectory()) {
      throw new RefusedError(`Cannot make the folder of ${name}: "${folder}" is no folder`);
    }
  }
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    throw new RefusedError(`Cannot begin ${name}: its folder "${path}" is there already`);
  }
  const instructions = attemptInstructions({
    name,
    sandbox: parts.sandbox,
    hasTools: parts.tools !== undefined,
    data: parts.data?.map((file) => file.name) ?? [],
    proposes: parts.proposes ?? [],
  });
  const write = (file: string, text: string) =>
    writeFileSync(join(path, file), text, { mode: 0o600, flag: "wx" });
  write(TASK_FILE, parts.prompt.endsWith("\n") ? parts.prompt : `${parts.prompt}\n`);
  write(INSTRUCTIONS_FILE, instructions);
  if (parts.tools !== undefined) write(TOOLS_FILE, parts.tools);
  writeData(path, parts.data ?? []);
  mkdirSync(join(path, HOME_FOLDER), { mode: 0o700 });
  return { path, name, instructions };
}

/** Names are checked once more: the folder is new, and nothing is written outside of it. */
function writeData(path: string, files: readonly TaskFile[]): void {
  if (files.length === 0) return;
  const folder = join(path, DATA_FOLDER);
  mkdirSync(folder, { mode: 0o700 });
  for (const { name, text } of files) {
    if (!DATA_NAME.test(name)) {
      throw new RefusedError(
        `Cannot write the data of the task: ${JSON.stringify(name)} is no name`,
      );
    }
    writeFileSync(join(folder, name), text, { mode: 0o600, flag: "wx" });
  }
}

/** Writes RESULT.txt as a whole, or not at all; over a link, not through it. */
export function writeResult(folder: string, text: string): void {
  replaceFile(join(folder, RESULT_FILE), text, 0o600);
}

/**
 * RESULT.txt as the agent left it; undefined when there is none, or nothing but white space in it.
 * Links, pipes and devices are none: an agent must not make its worker read for it.
 */
export function readResult(folder: string): string | undefined {
  let file: number;
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    file = openSync(join(folder, RESULT_FILE), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    if (!fstatSync(file).isFile()) return undefined;
    const bytes = Buffer.alloc(RESULT_BYTES);
    let got = 0;
    for (let more = -1; more !== 0 && got < bytes.length; got += more) {
      more = readSync(file, bytes, got, bytes.length - got, got);
    }
    const text = new TextDecoder().decode(bytes.subarray(0, got));
    return text.trim() === "" ? undefined : text;
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}
