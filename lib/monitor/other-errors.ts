import { frameOf } from "./raised.ts";
import type { Frame, Raised } from "./raised.ts";

/** Lines below an error in which its stack stands. */
const STACK = 80;

type Reader = (line: string, below: readonly string[]) => Omit<Raised, "line"> | undefined;

/** Errors that R, Julia, C++, Rust, Go, Java, shells and tools write, in the order of the log. */
export function otherErrors(lines: readonly string[]): Raised[] {
  return lines.flatMap((text, line) => {
    const below = lines.slice(line + 1, line + 1 + STACK);
    for (const read of READERS) {
      const found = read(text, below);
      if (found !== undefined) return [{ ...found, line }];
    }
    return [];
  });
}

function error(
  type: string,
  message: string,
  more: readonly string[] = [],
  frames: readonly Frame[] = [],
): Omit<Raised, "line"> {
  return { type, message: message.trim(), more, frames, kind: "error" };
}

function shell(type: string, message: string): Omit<Raised, "line"> {
  return { type, message: message.trim(), more: [], frames: [], kind: "line" };
}

const julia: Reader = (line, below) => {
  const [, nested, type, message] =
    /^ERROR: ((?:LoadError: |InitError: |CompositeException: )*)(\w+)(?:: |\()(.*)$/.exec(line) ??
      [];
  const isJulia = nested !== "" || below.some((next) => /^Stacktrace:/.test(next));
  if (type === undefined || !isJulia) return undefined;
  const frames = below.flatMap((next) => {
    const [, name] = /^\s*\[\d+\] ([\w!.]+)/.exec(next) ?? [];
    return name === undefined ? [] : [frameOf("", name)];
  });
  return error(type, message ?? "", below.slice(0, 3), frames.reverse());
};

const r: Reader = (line, below) => {
  const halted = below.some((next) => /^(Execution halted|Calls: )/.test(next));
  const [, call, said] = /^Error(?: in (.+?) ?)?: ?(.*)$/.exec(line) ?? [];
  if (said === undefined || !halted) return undefined;
  const name = /^([\w.:]+)\(/.exec(call ?? "")?.[1] ?? "";
  const message = said.trim() === "" ? below[0] ?? "" : said;
  return error("R error", message, below.slice(0, 3), name === "" ? [] : [frameOf("", name)]);
};

const cpp: Reader = (line, below) => {
  const type = /^(?:.*\s)?terminate called after throwing an instance of '(.+)'/.exec(line)?.[1];
  if (type !== undefined) {
    const what = below.slice(0, 3).map((next) => /what\(\):\s*(.*)/.exec(next)?.[1]).find(Boolean);
    return error(type, what ?? "", below.slice(0, 20));
  }
  const [, file, name, claim] =
    /(?:^|[\s/])([\w.-]+):\d+: (.+): Assertion [`'](.+)' failed/.exec(line) ??
      [];
  if (file === undefined) return undefined;
  return error("Assertion", claim!, [], [frameOf(file, /([\w~]+)\(/.exec(name!)?.[1] ?? name!)]);
};

const rust: Reader = (line, below) => {
  const [, place = ""] = /^thread '.*'(?: \(\d+\))? panicked at (.*)$/.exec(line) ?? [];
  if (place === "") return undefined;
  const old = /^'(.*)', (\S+?):\d+:\d+$/.exec(place);
  if (old !== null) return error("Rust panic", old[1]!, below, [frameOf(old[2]!, "")]);
  return error("Rust panic", below[0] ?? "", below, [frameOf(place.replace(/(:\d+)+:?$/, ""), "")]);
};

const go: Reader = (line, below) => {
  const message = /^panic: (.*)$/.exec(line)?.[1];
  if (message === undefined || !below.some((next) => /^goroutine \d+/.test(next))) return undefined;
  const name = below.map((next) => /^([\w./*()-]+)\(.*\)$/.exec(next)?.[1]).find(Boolean);
  return error("Go panic", message, [], name === undefined ? [] : [frameOf("", name)]);
};

const java: Reader = (line, below) => {
  const [, type, message] =
    /^(?:Exception in thread ".*" |Caused by: )([\w$.]+)(?:: (.*))?$/.exec(line) ?? [];
  if (type === undefined) return undefined;
  const end = below.findIndex((next) => !/^\s+(at |\.\.\. \d+)/.test(next));
  const frames = (end < 0 ? below : below.slice(0, end)).flatMap((next) => {
    const [, name, file] = /^\s+at ([\w$.<>/]+)\(([\w$.]+)/.exec(next) ?? [];
    return name === undefined ? [] : [frameOf(file ?? "", name)];
  });
  return error(type.split(".").at(-1)!, message ?? "", [], frames.reverse());
};

const fault: Reader = (line) => {
  const fatal = /^Fatal Python error: (.*)$/.exec(line)?.[1];
  if (fatal !== undefined) return error("Fatal Python error", fatal);
  const word =
    /(?:^|\d\s+|: )(Segmentation fault|Bus error|Floating point exception|Illegal instruction|Aborted)(?:\s+\(core dumped\))?(?:\s|$)/
      .exec(line)?.[1];
  if (word === undefined) return undefined;
  // Who aborts has said why before.
  return { ...error(word, ""), kind: word === "Aborted" ? "echo" : "error" };
};

/** "launch.sh: line 12: foo: command not found", and what `env` and the loader say. */
const bash: Reader = (line) => {
  const said = /^\S*?[\w.)-]+: line \d+: (.+)$/.exec(line)?.[1];
  if (said !== undefined && !/^\s*\d+\s+(Killed|Terminated)/.test(said)) {
    return shell("Shell", said);
  }
  const tool =
    /^(?:\S*\/)?(env|sh|bash|zsh|srun|module|conda|apptainer|singularity|docker|ssh|cp|mv|cd|cat|mkdir|tar)(?:: \d+)?: (.+)$/
      .exec(line);
  if (tool === null || /^error: .*(Exited with exit code|task \d)|^warning/i.test(tool[2]!)) {
    return undefined;
  }
  return shell(tool[1]!, tool[2]!);
};

/** argparse and its like, and an exception that was printed without its traceback. */
const printed: Reader = (line) => {
  const usage = /^(\S+\.\w+|\w[\w-]*): error: (.+)$/.exec(line);
  if (usage !== null && !NOISE.test(line)) {
    return shell("Usage", usage[2]!);
  }
  const [, type, message] =
    /^(?:Uncaught )?((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception))(?:: (.*))?$/.exec(line) ?? [];
  return type === undefined ? undefined : shell(type, message ?? "");
};

/** An error line of no known form. */
const anyhow: Reader = (line) => {
  if (NOISE.test(line)) return undefined;
  const said = /(?:^|[\s\[:])(?:fatal|critical|error)\b\]?\s*[:\-]+\s*(\S.*)$/i.exec(line)?.[1] ??
    /^(?:Could not |Cannot |Failed to |Unable to |No such |Permission denied).*$/.exec(line)?.[0];
  return said === undefined ? undefined : shell("Error", said);
};

const NOISE = /^\s*wandb:|\b(srun|slurmstepd|sbatch): |warning/i;

const READERS: readonly Reader[] = [julia, r, cpp, rust, go, java, fault, bash, printed, anyhow];
