import { UserError } from "../base/errors.ts";
import { DURATION_FORMS, parseDuration } from "../sweep/duration.ts";
import { quote, readFields, readItems, readText, readWhole, wrong } from "../sweep/fields.ts";
import { readSpan } from "../sweep/read-span.ts";
import type { Report } from "../sweep/report.ts";
import type { Node } from "../sweep/yaml-node.ts";
import type { PoolSlurm } from "./pool-config.ts";
import { POOL_SLURM_DEFAULTS } from "./pool-defaults.ts";

const KEYS = ["partition", "options", "time", "slots", "least", "most", "idle"] as const;

/** Options that herd gives itself, or that change what a submission is. */
const REFUSED: Readonly<Record<string, string>> = {
  array: "each worker is a job of its own",
  chdir: "herd decides where a worker runs",
  clusters: "herd works with the cluster that it runs on",
  dependency: "herd decides when a worker may start",
  error: "herd keeps each worker's output",
  export: "herd decides what workers see of the environment",
  "export-file": "herd decides what workers see of the environment",
  "get-user-env": "herd decides what workers see of the environment",
  help: "it submits nothing",
  input: "workers get no standard input",
  "job-name": "herd names jobs so that it finds them again",
  "open-mode": "herd keeps each worker's output",
  output: "herd keeps each worker's output",
  parsable: "herd reads sbatch's answer",
  "no-requeue": "a worker that ended must not come back",
  partition: 'write "partition" in pool.slurm',
  requeue: "a worker that ended must not come back",
  signal: "herd needs the warning before the end",
  "test-only": "it submits nothing",
  time: 'write "time" in pool.slurm',
  usage: "it submits nothing",
  version: "it submits nothing",
  wait: "herd must not wait for a worker's end",
  wrap: "a worker is what runs",
};

/** Workers that are SLURM jobs. */
export function readPoolSlurm(node: Node, report: Report): PoolSlurm | undefined {
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const usual = POOL_SLURM_DEFAULTS;
  const read = <T>(key: typeof KEYS[number], reader: (node: Node) => T | undefined) => {
    const value = fields.get(key)?.value;
    return value === undefined ? undefined : reader(value);
  };
  const whole = (key: typeof KEYS[number], least: number, most: number) =>
    read(key, (value) => readWhole(value, report, { least, most }));
  const idle = read("idle", (value) => readSpan(value, report, { least: 30, most: 30 * 86_400 }));
  const least = whole("least", 0, 10_000) ?? usual.least;
  const most = whole("most", 1, 10_000) ?? Math.max(usual.most, least);
  if (least > most) {
    wrong(fields.get("least")!.value, report, `at most ${most}, as pool.slurm.most is`);
  }
  return {
    partition: read("partition", (value) => readName(value, report)),
    options: read("options", (value) => readOptions(value, report)) ?? [],
    timeMinutes: read("time", (value) => readTime(value, report)) ?? usual.timeMinutes,
    slots: whole("slots", 1, 1000) ?? usual.slots,
    least,
    most,
    idleMs: idle === undefined ? usual.idleMs : idle * 1000,
  };
}

function readName(node: Node, report: Report): string | undefined {
  const text = readText(node, report);
  return text === undefined || isPartition(text)
    ? text
    : wrong(node, report, "the name of a partition");
}

/** Each is one word of sbatch's command line: no shell is between, so quotes would stay. */
function readOptions(node: Node, report: Report): readonly string[] | undefined {
  const items = readItems(node, report, 'options such as "--account=x"');
  return items?.map((item) => readOption(item, report)).filter((one) => one !== undefined);
}

function readOption(node: Node, report: Report): string | undefined {
  const text = readText(node, report);
  const why = text === undefined ? undefined : refuseSlurmOption(text);
  if (why === undefined) return text;
  return why === FORM
    ? wrong(node, report, FORM)
    : report.mistake(node, why, `Remove it from pool.slurm.options`);
}

const FORM = 'one long option in one word without quotes, such as "--account=x"';

/** Why sbatch may not get this option; undefined when it may. */
export function refuseSlurmOption(text: string): string | undefined {
  const name = /^--([a-z][a-z0-9-]*)(=[^\s"'\\]+)?$/.exec(text)?.[1];
  if (name === undefined) return FORM;
  // getopt takes any beginning of a long option for the option.
  const refused = Object.keys(REFUSED).find((one) => one.startsWith(name));
  return refused === undefined
    ? undefined
    : `Cannot pass ${quote(text)} to sbatch: ${REFUSED[refused]}`;
}

export function isPartition(text: string): boolean {
  return /^[\w.+:@/-]+(,[\w.+:@/-]+)*$/.test(text);
}

function readTime(node: Node, report: Report): number | undefined {
  try {
    const seconds = node.kind === "scalar" ? parseDuration(node.text) : undefined;
    if (typeof seconds === "number") return seconds / 60;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  return wrong(
    node,
    report,
    DURATION_FORMS.replace(" or UNLIMITED", "").replace(/, (?=[^,]*$)/, " or "),
  );
}
