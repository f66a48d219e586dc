import type { Config, Notice, Parameter, Repeats } from "./config.ts";
import {
  type Fields,
  missing,
  readChoice,
  readFields,
  readText,
  readWhole,
  wrong,
} from "./fields.ts";
import { bareName } from "./parameter-name.ts";
import { isNamed } from "./plan.ts";
import { readAgent } from "./read-agent.ts";
import { readConditions } from "./read-conditions.ts";
import { DISCORD_DEFAULTS, readDiscord } from "./read-discord.ts";
import { checkDefaults, readGrid } from "./read-grid.ts";
import { readHalving } from "./read-halving.ts";
import { readMcpServers } from "./read-mcp-servers.ts";
import { type ParameterTable, readParameters } from "./read-parameters.ts";
import {
  AGENT_DEFAULTS,
  MONITOR_DEFAULTS,
  readMonitor,
  REMEDIATION_DEFAULTS,
} from "./read-monitor.ts";
import { readRemediation } from "./read-remediation.ts";
import { readRepeats } from "./read-repeats.ts";
import { readSlurm, SLURM_DEFAULTS } from "./read-slurm.ts";
import { readSync } from "./read-sync.ts";
import {
  checkShadowing,
  findStaticOverrides,
  readStaticOverrides,
} from "./read-static-overrides.ts";
import { readZip } from "./read-zip.ts";
import { createReport, type Report, type Spot } from "./report.ts";
import { readYaml } from "./yaml-document.ts";
import type { MappingNode, Node } from "./yaml-node.ts";

const KEYS = [
  "name",
  "grid",
  "samples",
  "seed",
  "zip",
  "repeats",
  "trials",
  "slurm",
  "local",
  "scheduler",
  "launcher",
  "static_overrides",
  "parameters",
  "conditions",
  "successive_halving",
  "prune_grace_seconds",
  "discord",
  "mcp_servers",
  "monitor",
  "remediation",
  "agent",
  "sync",
] as const;

/** Names that HyperHerd knows and herd understands, with a notice. */
const LEGACY = ["constraints", "hydra", "workspace"] as const;

const DEFAULT_PRUNE_GRACE_SECONDS = 600;
const LONGEST_NAME = 100;

export interface ReadOptions {
  /** How messages call the file. */
  file: string;
  /** What the header of the trials file names: these are parameters too. */
  columns?: readonly string[];
}

/**
 * Reads the text of `hyperherd.yaml`.
 * Throws one UserError that carries every mistake, each with its line and column.
 */
export function readConfig(
  text: string,
  options: ReadOptions,
): { config: Config; notices: readonly Notice[] } {
  const report = createReport(options.file);
  const root = readYaml(text, report);
  const config = root === undefined ? undefined : readRoot(root, options.columns ?? [], report);
  report.settle();
  if (config === undefined) throw new Error("A part of the configuration failed without a mistake");
  return { config, notices: report.notices() };
}

function readRoot(
  root: MappingNode,
  columns: readonly string[],
  report: Report,
): Config | undefined {
  const fields = topLevel(root, report);
  if (fields === undefined) return undefined;
  const nameNode = fields.get("name")?.value;
  const name = nameNode === undefined
    ? missing(root, "name", "the sweep's name", report)
    : readName(nameNode, report);
  const model = readModel(root, fields, columns, report);
  const optional = <T>(key: string, read: (node: Node, report: Report) => T) => {
    const node = fields.get(key)?.value;
    return node === undefined ? undefined : read(node, report);
  };
  const scheduler = optional("scheduler", (node) => {
    return readChoice(node, ["slurm", "local"] as const, report);
  });
  const grace = optional("prune_grace_seconds", (node) => readWhole(node, report, { least: 0 }));
  const slurm = optional("slurm", readSlurm) ?? SLURM_DEFAULTS;
  const rest = {
    launcher: optional("launcher", (node) => readText(node, report, { empty: true })) ?? "",
    // Who names a host has said where SLURM is.
    scheduler: scheduler ?? (slurm.host === undefined ? undefined : "slurm" as const),
    slurm,
    local: { slots: optional("local", readSlots) },
    halving: optional("successive_halving", readHalving),
    pruneGraceSeconds: grace ?? DEFAULT_PRUNE_GRACE_SECONDS,
    discord: optional("discord", readDiscord) ?? DISCORD_DEFAULTS,
    mcpServers: optional("mcp_servers", readMcpServers) ?? [],
    monitor: optional("monitor", readMonitor) ?? MONITOR_DEFAULTS,
    remediation: optional("remediation", readRemediation) ?? REMEDIATION_DEFAULTS,
    agent: optional("agent", readAgent) ?? AGENT_DEFAULTS,
    sync: optional("sync", readSync) ?? [],
  };
  return name === undefined || model === undefined ? undefined : { name, ...model, ...rest };
}

/** The known keys, legacy names resolved. A key `x-…` may hold anchors for elsewhere. */
function topLevel(root: MappingNode, report: Report): Fields | undefined {
  const entries = root.entries.filter(({ key }) => {
    return !key.startsWith("x-");
  });
  // A message lists what is worth writing today, so legacy names pass unlisted.
  const legacy = entries.filter(({ key }) => LEGACY.some((each) => each === key));
  const current = entries.filter((entry) => !legacy.includes(entry));
  const fields = readFields({ ...root, entries: current }, KEYS, report);
  if (fields === undefined) return undefined;
  const all = new Map(fields);
  for (const entry of legacy) {
    if (entry.key === "workspace") {
      report.notice(entry.at, 'Ignored "workspace": it is the folder that this file stands in');
    } else if (entry.key === "hydra") all.set("hydra", entry);
    else if (all.has("conditions")) {
      report.mistake(
        entry.at,
        'Cannot use "constraints" beside "conditions": one is the old name of the other',
        'Move its entries to "conditions"',
      );
    } else {
      report.notice(entry.at, 'Took "constraints" for "conditions": write the new name');
      all.set("conditions", entry);
    }
  }
  return all;
}

type Model = Pick<
  Config,
  | "grid"
  | "parameters"
  | "zip"
  | "repeats"
  | "trialsFile"
  | "conditions"
  | "conditionsAt"
  | "staticOverrides"
>;

/** What trials there are. Sections that refer to parameters are read when those are known. */
function readModel(
  root: MappingNode,
  fields: Fields,
  header: readonly string[],
  report: Report,
): Model | undefined {
  const trialsNode = fields.get("trials")?.value;
  const trialsFile = trialsNode === undefined ? undefined : readText(trialsNode, report);
  const columns = trialsNode !== undefined;
  if (columns) refuseWithTrials(fields, report);
  const overridesNode = findStaticOverrides(fields, report);
  const staticOverrides = overridesNode === undefined
    ? []
    : readStaticOverrides(overridesNode, report);
  const table = readTable(root, fields, columns, report);
  if (table === undefined) return undefined;
  // A misspelt grid is one mistake, not one for each parameter without a default.
  const grid = report.isMisspelt("", "grid")
    ? undefined
    : columns
    ? { kind: "one-at-a-time" } as const
    : readGrid(fields, table, report);
  const zipNode = columns ? undefined : fields.get("zip")?.value;
  const zip = zipNode === undefined ? [] : readZip(zipNode, grid, table, report);
  if (grid !== undefined && !columns) checkDefaults(grid, zip ?? [], table, report);
  const repeatsNode = fields.get("repeats")?.value;
  const repeats = repeatsNode === undefined ? undefined : readRepeats(repeatsNode, table, report);
  const conditionsNode = fields.get("conditions")?.value;
  const conditions = conditionsNode === undefined
    ? []
    : readConditions(conditionsNode, withRepeats(withColumns(table, header), repeats), report);
  if (overridesNode !== undefined) checkShadowing(overridesNode, table, repeats, report);
  if (grid === undefined || zip === undefined || staticOverrides === undefined) return undefined;
  const parameters: readonly Parameter[] = table.parameters;
  const at = conditionsNode?.kind === "list" ? placeOf(fields.get("conditions")!.at, report) : {};
  return { grid, parameters, zip, repeats, trialsFile, conditions, ...at, staticOverrides };
}

function placeOf({ line, column, path }: Spot, { file }: Report): Pick<Config, "conditionsAt"> {
  return { conditionsAt: { file, line, column, path } };
}

function readTable(
  root: MappingNode,
  fields: Fields,
  columns: boolean,
  report: Report,
): ParameterTable | undefined {
  const node = fields.get("parameters")?.value;
  if (node !== undefined) return readParameters(node, report, { columns });
  if (columns) return { parameters: [], names: new Map(), entries: new Map() };
  return missing(root, "parameters", "at least one parameter", report);
}

/** Conditions may name what only the header of the trials file names. */
function withColumns(table: ParameterTable, header: readonly string[]): ParameterTable {
  if (header.length === 0) return table;
  const isDeclared = (column: string) => table.parameters.some((each) => isNamed(each, column));
  const own = header.filter((column) => column !== "" && !isDeclared(column));
  const columns = own.map((column) => [bareName(column), column] as const);
  return { ...table, names: new Map([...columns, ...table.names]) };
}

/** Conditions may test which repeat a trial is. */
function withRepeats(table: ParameterTable, repeats: Repeats | undefined): ParameterTable {
  if (repeats === undefined) return table;
  return { ...table, names: new Map([...table.names, [repeats.parameter, repeats.parameter]]) };
}

/** The file lists the trials: nothing is left to enumerate. */
function refuseWithTrials(fields: Fields, report: Report): void {
  for (const key of ["grid", "samples", "seed", "zip"]) {
    const entry = fields.get(key);
    if (entry === undefined) continue;
    report.mistake(
      entry.at,
      `Cannot use "${key}" with "trials": the file lists the trials itself`,
      "Keep one of them",
    );
  }
}

/** Part of file names, job names and a channel's name. */
function readName(node: Node, report: Report): string | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(text) && text.length <= LONGEST_NAME) return text;
  return wrong(
    node,
    report,
    `1 to ${LONGEST_NAME} letters, digits, dots, underscores and hyphens, ` +
      "with neither a dot nor a hyphen first",
    suggestion(text),
  );
}

function suggestion(text: string): string | undefined {
  const safe = text.trim().replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[.-]+|-+$/g, "");
  return safe === "" ? undefined : `Write for example "${safe.slice(0, LONGEST_NAME)}"`;
}

function readSlots(node: Node, report: Report): number | undefined {
  const slots = readFields(node, ["slots"], report)?.get("slots")?.value;
  return slots === undefined ? undefined : readWhole(slots, report, { least: 1, most: 100_000 });
}
