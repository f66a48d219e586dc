import { frameOf, isEcho } from "./raised.ts";
import type { Frame, Raised } from "./raised.ts";

const HEADER = "Traceback (most recent call last)";
const FRAME = /^\s+File "(.+?)", line \d+(?:, in (.+))?$/;
/** As the `rich` package draws it. */
const BOXED_FRAME = /^[│┃]\s+(\S+?):\d+ in (\S+)/;
const BOX = /^[│┃╭╰┏┗├]/;
const EXCEPTION = /^([A-Za-z_][\w.<>]*)(?:(:) ?(.*))?$/;
/** Words of loggers that look like an exception's name. */
const LEVEL = /^(TRACE|DEBUG|INFO|NOTICE|NOTE|WARN|WARNING|ERROR|CRITICAL|FATAL)$/i;
const EXCEPTION_NAME = /(Error|Exception|Interrupt|Exit|Warning|Iteration|Group)$/;
/** What puts several processes' lines into one log: torchrun, srun --label, mpirun, Ray, and groups of exceptions. */
const TAG =
  /^(?:\[(?:rank|default)?\d+\]:|\[\d+,\d+\]<std(?:err|out)>:|rank\s?\d+:|\d+:|\([^()]{0,80}\bpid=\d+[^()]{0,80}\)|\s*\|) ?/i;
/** Lines of others between two of a traceback, before it is given up. */
const PATIENCE = 60;
/** Lines below an exception that may belong to its message. */
const MORE = 60;

interface Open {
  tag: string;
  /** Tracebacks begun under this tag and not closed by their exception. */
  begun: number;
  frames: Frame[];
  strangers: number;
}

/**
 * The exceptions of Python that a log shows, in its order; of chained ones the
 * last raised comes last. Lines of several processes are told apart by their
 * tags; where they have none, the frames of mixed tracebacks are kept together.
 */
export function pythonErrors(lines: readonly string[]): Raised[] {
  const found: Raised[] = [];
  const open = new Map<string, Open>();
  for (const [number, line] of lines.entries()) {
    const at = line.indexOf(HEADER);
    const tag = tagOf(at < 0 ? line : line.slice(0, at));
    const text = line.slice(tag.length);
    const frame = frameIn(text);
    if (at >= 0 || frame !== undefined) {
      // A syntax error in the script itself has frames and no header.
      const current = open.get(tag) ?? { tag, begun: at >= 0 ? 0 : 1, frames: [], strangers: 0 };
      open.set(tag, current);
      if (at >= 0) current.begun++;
      if (frame !== undefined) current.frames.push(frame);
      current.strangers = 0;
      continue;
    }
    const current = open.get(tag);
    if (current === undefined || text.trim() === "" || /^\s/.test(text) || BOX.test(text)) continue;
    const exception = exceptionIn(text, current);
    if (exception !== undefined) {
      found.push(raised(lines, number, current, exception));
      if (--current.begun <= 0) open.delete(tag);
    } else if (++current.strangers > PATIENCE) open.delete(tag);
  }
  return found;
}

/** Names of exceptions are capital or come with their module; what else has a colon is a log's. */
function exceptionIn(
  text: string,
  { frames, strangers }: Open,
): { type: string; message: string } | undefined {
  const [, type = "", colon, message = ""] = EXCEPTION.exec(text) ?? [];
  if (type === "" || LEVEL.test(type) || frames.length === 0) return undefined;
  const isName = type.includes(".") || /^[A-Z_]/.test(type);
  const sure = colon !== undefined || strangers === 0 || EXCEPTION_NAME.test(type);
  return isName && sure ? { type, message } : undefined;
}

function tagOf(text: string): string {
  return TAG.exec(text)?.[0] ?? "";
}

function frameIn(text: string): Frame | undefined {
  const plain = FRAME.exec(text);
  if (plain !== null) return frameOf(plain[1]!, plain[2] ?? "");
  const boxed = BOXED_FRAME.exec(text);
  return boxed === null ? undefined : frameOf(boxed[1]!, boxed[2]!);
}

function raised(
  lines: readonly string[],
  line: number,
  { tag, frames }: Open,
  { type, message: first }: { type: string; message: string },
): Raised {
  const more: string[] = [];
  for (const next of lines.slice(line + 1, line + 1 + MORE)) {
    if (next.includes(HEADER)) break;
    if (tag === "" ? tagOf(next) === "" : next.startsWith(tag)) more.push(next.slice(tag.length));
  }
  // Some messages begin on the next line.
  const message = first.trim() !== ""
    ? first
    : (more.slice(0, 3).find((one) => one.trim() !== "") ?? "");
  const kind = isEcho(type, first) ? "echo" : "error";
  return { line, type, message: message.trim(), more, frames: [...frames], kind };
}
