import type { SlurmSettings } from "./config.ts";
import { type Fields, quote, readFields, readText, readTexts, readWhole, wrong } from "./fields.ts";
import { CONDITION_KEYS, readResources } from "./read-resources.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

const KEYS = [...CONDITION_KEYS, "max_concurrent", "signal", "export", "host", "path"] as const;

/** Signals that a trainer can catch. */
const SIGNALS = ["HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "TERM", "CONT", "URG"];
/** What SLURM itself takes when no time is given. */
const DEFAULT_SIGNAL_SECONDS = 60;

export const SLURM_DEFAULTS: SlurmSettings = {
  partition: undefined,
  account: undefined,
  qos: undefined,
  constraint: undefined,
  nodes: undefined,
  ntasks: undefined,
  cpusPerTask: 1,
  memoryMiB: 8 * 1024,
  timeSeconds: 3600,
  gres: undefined,
  gpus: undefined,
  exclude: undefined,
  requeue: undefined,
  mailUser: undefined,
  mailType: undefined,
  extraArgs: [],
  maxConcurrent: undefined,
  signal: undefined,
  export: [],
  host: undefined,
  path: undefined,
};

/** The section `slurm`, with defaults for what is not given. */
export function readSlurm(node: Node, report: Report): SlurmSettings | undefined {
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const resources = readResources(fields, report);
  const maxNode = fields.get("max_concurrent")?.value;
  const maxConcurrent = maxNode === undefined
    ? undefined
    : readWhole(maxNode, report, { least: 1 });
  const exported = readExport(fields, report);
  const signal = readSignal(fields, report);
  const place = { host: readHost(fields, report), path: readPath(fields, report) };
  if (resources === undefined) return undefined;
  const settings = {
    ...SLURM_DEFAULTS,
    ...resources,
    maxConcurrent,
    signal,
    export: exported,
    ...place,
  };
  const { timeSeconds } = settings;
  if (signal !== undefined && timeSeconds !== null && signal.seconds >= timeSeconds) {
    wrong(
      fields.get("signal")!.value,
      report,
      `less than the time limit of ${timeSeconds} seconds`,
    );
  }
  return settings;
}

/** `USR1@120`: the signal, and how many seconds before the time limit. */
function readSignal(fields: Fields, report: Report): SlurmSettings["signal"] {
  const node = fields.get("signal")?.value;
  if (node === undefined) return undefined;
  const text = node.kind === "scalar" ? node.text : "";
  const [, name = "", seconds = DEFAULT_SIGNAL_SECONDS] =
    /^(?:SIG)?([A-Z0-9]+)(?:@(\d{1,5}))?$/.exec(text) ?? [];
  if (!SIGNALS.includes(name) || Number(seconds) < 1 || Number(seconds) > 65_535) {
    return wrong(
      node,
      report,
      `NAME@SECONDS such as "USR1@120", with one of ${SIGNALS.join(", ")} and 1 to 65535 seconds`,
    );
  }
  return { name, seconds: Number(seconds) };
}

/** What ssh would take for an option, or no shell for a name, is no host. */
function readHost(fields: Fields, report: Report): string | undefined {
  const node = fields.get("host")?.value;
  const name = node === undefined ? undefined : readText(node, report);
  if (node === undefined || name === undefined || /^[^\s-][^\s]*$/.test(name)) return name;
  return wrong(node, report, 'a host that ssh knows, such as "login" or "ana@login.example.org"');
}

function readPath(fields: Fields, report: Report): string | undefined {
  const node = fields.get("path")?.value;
  const path = node === undefined ? undefined : readText(node, report);
  if (node === undefined || path === undefined) return path;
  const isFolder = /^(\/|~\/)?[^\/~\0\n\r]/.test(path) && !path.split("/").includes("..");
  if (isFolder) return path.replace(/\/+$/, "");
  return wrong(node, report, 'a folder on the host, such as "/scratch/ana/sweep" or "~/sweep"');
}

function readExport(fields: Fields, report: Report): readonly string[] {
  const node = fields.get("export")?.value;
  const names = node === undefined ? [] : readTexts(node, report) ?? [];
  names.forEach((name, i) => {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !/^(ALL|NONE|NIL)$/.test(name)) return;
    const at = node?.kind === "list" ? node.items[i] : node;
    if (at === undefined) return;
    report.mistake(
      at,
      `Cannot export ${
        quote(name)
      }: expected the name of one environment variable such as "HF_HOME"`,
      "Jobs see a short fixed set of variables and what is listed here, nothing else",
    );
  });
  return [...new Set(names)];
}
