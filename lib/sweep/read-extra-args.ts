import { quote, readItems, readText, whole, wrong } from "./fields.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

/** Options that herd gives itself, or that change what a submission is, with what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  array: "herd gives each trial its task id; use max_concurrent to limit how many run at once",
  "job-name": "herd names jobs so that it finds them again; the sweep's name is in it",
  output: "herd keeps each trial's output in the workspace's logs",
  error: "herd keeps each trial's output in the workspace's logs",
  "open-mode": "herd appends to the logs",
  parsable: "herd reads sbatch's answer",
  wrap: "the launcher is what runs",
  export: 'list the names of variables under "export" in slurm',
  "export-file": 'list the names of variables under "export" in slurm',
  "get-user-env": 'list the names of variables under "export" in slurm',
  chdir: "jobs run in the workspace",
  dependency: "herd decides when a submission may start",
  wait: "herd itself waits, with herd run --wait",
  "test-only": "herd submits for real; use herd run --dry-run to preview",
  clusters: "herd works with the cluster that it runs on",
  input: "the launcher gets no standard input",
  help: "it submits nothing",
  usage: "it submits nothing",
  version: "it submits nothing",
};

const SHORT: Readonly<Record<string, string>> = {
  a: "array",
  J: "job-name",
  o: "output",
  e: "error",
  D: "chdir",
  d: "dependency",
  W: "wait",
  M: "clusters",
  i: "input",
  h: "help",
  V: "version",
};

/** Short options without a value, which may stand in front of another one: `-HJ name`. */
const SWITCHES = "HIkOQsvX";

/** Long options without a value, or whose value follows only after "=". */
const LONG_SWITCHES: ReadonlySet<string> = new Set([
  "contiguous",
  "exclusive",
  "hold",
  "ignore-pbs",
  "nice",
  "no-kill",
  "no-requeue",
  "overcommit",
  "oversubscribe",
  "propagate",
  "quiet",
  "reboot",
  "requeue",
  "spread-job",
  "use-min-nodes",
  "verbose",
]);

/** What herd has a field for and decides by. */
const FIELDS: Readonly<Record<string, string>> = {
  time: "time",
  t: "time",
  mem: "mem",
  "cpus-per-task": "cpus_per_task",
  c: "cpus_per_task",
  partition: "partition",
  p: "partition",
  signal: "signal",
};

/** Raw `#SBATCH` lines: each one line of options, none of which is herd's own business. */
export function readExtraArgs(node: Node, report: Report): readonly string[] | undefined {
  const items = readItems(node, report, 'options such as "--reservation=x"');
  return items === undefined ? undefined : whole(items.map((item) => readArgs(item, report)));
}

function readArgs(node: Node, report: Report): string | undefined {
  const text = readText(node, report)?.trim();
  if (text === undefined) return undefined;
  if (!/^--?[A-Za-z]/.test(text)) {
    return wrong(node, report, 'an option that starts with a hyphen, such as "--reservation=x"');
  }
  const words = wordsOf(text);
  if (words === undefined) {
    return wrong(node, report, "as many closing quotes as opening ones");
  }
  const stray = words.find((word, i) => !isOption(word) && !takesValue(words[i - 1]!));
  if (stray !== undefined) {
    return report.mistake(
      node,
      `Cannot pass ${quote(text)} to sbatch: it takes ${quote(stray)} for an option of its own`,
      `Put quotes inside, such as ${QUOTED}`,
    );
  }
  // SLURM reads as many options from one line as stand there.
  for (const word of text.split(/\s+/)) {
    const option = optionOf(word.replace(/^["']+/, ""));
    if (option === undefined) continue;
    const refused = refusedName(option);
    if (refused !== undefined) {
      return report.mistake(
        node,
        `Cannot pass ${quote(word)} to sbatch: ${REFUSED[refused]}`,
        "Remove it from extra_args",
      );
    }
    const field = FIELDS[option];
    if (field !== undefined) {
      report.notice(
        node,
        `Found ${quote(word)} in extra_args: write it as "${field}" in slurm, where herd sees it`,
      );
    }
  }
  return text;
}

const QUOTED = `- '--comment="hello world"'`;

/** As sbatch splits a line: quotes and backslashes keep spaces, "#" begins a comment. Undefined: an open quote. */
function wordsOf(text: string): string[] | undefined {
  const words: string[] = [];
  const word = /(?:[^\s"'\\]|\\.?|"(?:[^"\\]|\\.)*"|'[^']*')+/y;
  for (let at = 0; at < text.length;) {
    if (/\s/.test(text[at]!)) at++;
    else if (text[at] === "#") break;
    else {
      word.lastIndex = at;
      const found = word.exec(text)?.[0];
      if (found === undefined) return undefined;
      words.push(found);
      at += found.length;
    }
  }
  return words;
}

function isOption(word: string): boolean {
  return /^["']?-/.test(word);
}

/** `--reservation course`, `-w node1`: the value may stand in the next word. */
function takesValue(word: string): boolean {
  const long = /^--([^=]+)$/.exec(word)?.[1];
  if (long !== undefined) return !LONG_SWITCHES.has(long);
  return /^-[A-Za-z]$/.test(word) && !SWITCHES.includes(word[1]!);
}

/** `--mem=3` gives "mem", `-t5` gives "t", `-HJx` gives "J". */
function optionOf(word: string): string | undefined {
  const long = /^--([A-Za-z][\w-]*)/.exec(word)?.[1];
  if (long !== undefined) return long;
  const letters = /^-([A-Za-z].*)$/.exec(word)?.[1];
  return letters === undefined ? undefined : [...letters].find((each) => !SWITCHES.includes(each));
}

/** getopt takes any beginning of a long option for the option. */
function refusedName(option: string): string | undefined {
  if (option.length === 1) return SHORT[option];
  return Object.keys(REFUSED).find((name) => name.startsWith(option));
}
