import { UserError } from "../base/errors.ts";
import type { Resources } from "./config.ts";
import { DURATION_FORMS, parseDuration } from "./duration.ts";
import {
  type Fields,
  readBoolean,
  readItems,
  readText,
  readWhole,
  whole,
  wrong,
} from "./fields.ts";
import { MEMORY_FORMS, parseMemory } from "./memory.ts";
import { readExtraArgs } from "./read-extra-args.ts";
import { readMail } from "./read-mail.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

/** What a condition may change for its trials; the rest of `slurm` is for the sweep as a whole. */
export const CONDITION_KEYS = [
  "partition",
  "account",
  "qos",
  "constraint",
  "nodes",
  "ntasks",
  "cpus_per_task",
  "mem",
  "time",
  "gres",
  "gpus",
  "exclude",
  "requeue",
  "mail",
  "extra_args",
] as const;

const GPUS = /^([A-Za-z0-9_.-]+:)?[1-9]\d*(,[A-Za-z0-9_.-]+:[1-9]\d*)*$/;

/** The resources that are given; undefined when one of them could not be read. */
export function readResources(fields: Fields, report: Report): Partial<Resources> | undefined {
  const found: { [key in keyof Resources]?: Resources[key] } = {};
  let failed = false;
  function take<K extends keyof Resources>(
    key: string,
    field: K,
    read: (node: Node, report: Report) => Resources[K] | undefined,
  ): void {
    const node = fields.get(key)?.value;
    if (node === undefined) return;
    const value = read(node, report);
    if (value === undefined) failed = true;
    else found[field] = value;
  }
  take("partition", "partition", readSlurmText);
  take("account", "account", readSlurmText);
  take("qos", "qos", readSlurmText);
  take("constraint", "constraint", readSlurmText);
  take("nodes", "nodes", readNodes);
  take("ntasks", "ntasks", readCount);
  take("cpus_per_task", "cpusPerTask", readCount);
  take("mem", "memoryMiB", readMemory);
  take("time", "timeSeconds", readTime);
  take("gres", "gres", readSlurmText);
  take("gpus", "gpus", readGpus);
  take("exclude", "exclude", readHosts);
  take("requeue", "requeue", readBoolean);
  take("extra_args", "extraArgs", readExtraArgs);
  const mail = fields.get("mail")?.value;
  const mailRead = mail === undefined ? {} : readMail(mail, report);
  return failed || mailRead === undefined ? undefined : { ...found, ...mailRead };
}

/** One word for SLURM: nothing in it can end the line, open a quote or start another option. */
export function readSlurmText(node: Node, report: Report): string | undefined {
  const text = readText(node, report);
  if (text === undefined) return undefined;
  if (/["'`\\#\s]/.test(text) || text.startsWith("-")) {
    return wrong(
      node,
      report,
      "one word without white space, quotes, backslash and #, and without a hyphen in front",
    );
  }
  return text;
}

function readCount(node: Node, report: Report): number | undefined {
  return readWhole(node, report, { least: 1, most: 1_000_000 });
}

/** `2` or `1-4`, as SLURM has it. */
function readNodes(node: Node, report: Report): string | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  const [, least = "0", most = least] = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(text) ?? [];
  if (Number(least) < 1 || Number(most) < Number(least)) {
    return wrong(node, report, 'a number of nodes such as 2, or a range such as "1-4"');
  }
  return most === least ? String(Number(least)) : `${Number(least)}-${Number(most)}`;
}

function readGpus(node: Node, report: Report): string | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  if (!GPUS.test(text)) {
    return wrong(node, report, 'a number of GPUs such as 2, or with a type such as "a100:2"');
  }
  return text;
}

/** `node[01-03],node07`, or a list of such. */
function readHosts(node: Node, report: Report): string | undefined {
  if (node.kind !== "list") return readSlurmText(node, report);
  const hosts = readItems(node, report, "nodes")?.map((item) => readSlurmText(item, report));
  if (hosts?.length === 0) return wrong(node, report, "at least one node");
  return hosts === undefined ? undefined : whole(hosts)?.join(",");
}

function readMemory(node: Node, report: Report): number | undefined {
  return readUnit(node, report, MEMORY_FORMS, parseMemory);
}

/** Read from its text as it stands: unquoted, PyYAML would take `10:00:00` for 36000 minutes. */
function readTime(node: Node, report: Report): number | null | undefined {
  return readUnit(node, report, DURATION_FORMS, parseDuration);
}

function readUnit<T>(
  node: Node,
  report: Report,
  forms: string,
  parse: (text: string) => T,
): T | undefined {
  if (node.kind !== "scalar") return wrong(node, report, forms);
  try {
    return parse(node.text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return wrong(node, report, forms);
  }
}
