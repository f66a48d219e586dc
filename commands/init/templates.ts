import { count } from "../../lib/base/text.ts";
import { formatDuration } from "../../lib/sweep/duration.ts";
import { formatMemory } from "../../lib/sweep/memory.ts";
import configTemplate from "./hyperherd.yaml.txt" with { type: "text" };
import helper from "./herd_results.py" with { type: "text" };
import launcher from "./launch.sh" with { type: "text" };

/** What `init` learnt of the place. Everything but the name may be unknown. */
export interface InitFacts {
  /** Any text, such as a folder's name; made safe here. */
  name: string;
  /** Path of the launcher, relative to the YAML; `launch.sh` when left out. */
  launcher?: string | undefined;
  /** The cluster's partitions; empty where there is no SLURM. */
  partitions?: readonly InitPartition[];
  /** The partition to use; by default the cluster's default one, or its only one. */
  partition?: string | undefined;
  /** SLURM is there, even where nothing could be learnt of its partitions. */
  slurm?: boolean;
  /** Seconds that no trial may exceed; null is unlimited, undefined unknown. */
  maxTimeSeconds?: number | null | undefined;
  /** Largest memory that a trial may ask for, MiB. */
  maxMemoryMiB?: number | undefined;
}

/** The part of a scheduler's partition that the template shows. */
export interface InitPartition {
  name: string;
  isDefault: boolean;
  up: boolean;
  maxTimeSeconds: number | null | undefined;
  nodes: number;
  cpusPerNode: number | undefined;
  memoryMiBPerNode: number | undefined;
  gres: string | undefined;
}

const USUAL_TIME_SECONDS = 4 * 3600;
const USUAL_MEMORY_MIB = 8 * 1024;
const LEAST_MEMORY_MIB = 1024;
/** The template's comments stand below each other. */
const MEMORY_COLUMN = 25;
const LONGEST_NAME = 64;
const MOST_PARTITIONS_SHOWN = 12;

/** `hyperherd.yaml` for a new sweep, with this cluster's partitions and limits filled in. */
export function renderConfig(facts: InitFacts): string {
  const partitions = facts.partitions ?? [];
  const chosen = choosePartition(facts);
  const limits = partitions.find((partition) => partition.name === chosen);
  const time = Math.min(
    USUAL_TIME_SECONDS,
    facts.maxTimeSeconds ?? Infinity,
    limits?.maxTimeSeconds ?? Infinity,
  );
  const memory = Math.min(
    facts.maxMemoryMiB ?? Infinity,
    limits === undefined ? USUAL_MEMORY_MIB : memoryFor(limits),
  );
  return fill({
    name: scalar(sweepName(facts.name)),
    launcher: scalar(facts.launcher ?? "launch.sh"),
    scheduler: chosen === undefined && facts.slurm !== true ? LOCAL : "",
    facts: partitions.length === 0 ? "" : partitionLines(partitions),
    partition: chosen === undefined ? "# partition: default" : `partition: ${scalar(chosen)}`,
    time: formatDuration(Math.max(60, time)),
    mem: memoryField(Math.max(1, memory), limits),
  });
}

/**
 * What goes with one CPU, MiB: its share of a node, so that trials that ask for
 * it fill a node with both, in whole units; where that is little, 1G.
 */
function memoryFor({ memoryMiBPerNode: node, cpusPerNode: cpus }: InitPartition): number {
  if (node === undefined) return USUAL_MEMORY_MIB;
  const share = node / Math.max(1, cpus ?? 1);
  const unit = share < 2 * LEAST_MEMORY_MIB ? LEAST_MEMORY_MIB / 2 : LEAST_MEMORY_MIB;
  const kind = Math.floor(share / unit) * unit;
  return Math.min(node, USUAL_MEMORY_MIB, Math.max(LEAST_MEMORY_MIB, kind));
}

function memoryField(memory: number, partition: InitPartition | undefined): string {
  const { memoryMiBPerNode: node, cpusPerNode: cpus } = partition ?? {};
  const field = formatMemory(memory);
  if (node === undefined || cpus === undefined) return field;
  const processors = count(cpus, "CPU");
  return `${field.padEnd(MEMORY_COLUMN)}# one CPU's part: a node has ${
    formatMemory(node)
  } for ${processors}`;
}

/** `launch.sh` for a new sweep; the file wants to be executable. */
export function renderLauncher(): string {
  return launcher;
}

/** `herd_results.py`, the helper for trainers in Python. */
export function renderHelper(): string {
  return helper;
}

/** A sweep's name made of any text: letters, digits, `.`, `_` and `-`, not empty, beginning with a letter or digit. */
export function sweepName(text: string): string {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "");
  const safe = plain.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return safe.slice(0, LONGEST_NAME).replace(/[-.]+$/, "") || "sweep";
}

const LOCAL = `# No SLURM was found here: trials run as processes of this machine.
scheduler: local
local:
  slots: 2                      # trials at once

`;

/** The partition that the configuration will name; undefined leaves it to the site. */
export function choosePartition(facts: InitFacts): string | undefined {
  if (facts.partition !== undefined) return facts.partition;
  const up = (facts.partitions ?? []).filter((partition) => partition.up);
  return (up.find((partition) => partition.isDefault) ?? up[0] ?? facts.partitions?.[0])?.name;
}

function partitionLines(partitions: readonly InitPartition[]): string {
  const shown = partitions.slice(0, MOST_PARTITIONS_SHOWN).map(describePartition);
  if (partitions.length > shown.length) {
    shown.push(`and ${partitions.length - shown.length} more: see sinfo`);
  }
  return ["This cluster's partitions:", ...shown.map((line) => `  ${line}`)]
    .map((line) => `  # ${oneLine(line)}\n`).join("");
}

function describePartition(partition: InitPartition): string {
  const marks = [partition.isDefault ? "default" : "", partition.up ? "" : "down"].filter(Boolean);
  const name = partition.name + (marks.length > 0 ? ` (${marks.join(", ")})` : "");
  const time = partition.maxTimeSeconds === undefined
    ? "no time limit known"
    : partition.maxTimeSeconds === null
    ? "no time limit"
    : `up to ${formatDuration(partition.maxTimeSeconds)}`;
  const cpus = partition.cpusPerNode === undefined ? "" : ` x ${partition.cpusPerNode} CPUs`;
  const memory = partition.memoryMiBPerNode === undefined
    ? ""
    : `, ${formatMemory(partition.memoryMiBPerNode)} each`;
  const gres = partition.gres === undefined || partition.gres === "" ? "" : `, ${partition.gres}`;
  const nodes = `${partition.nodes} ${partition.nodes === 1 ? "node" : "nodes"}`;
  return `${name}: ${time}, ${nodes}${cpus}${memory}${gres}`;
}

/** A text as a YAML value that means the same to every version of YAML. */
function scalar(text: string): string {
  const plain = /^[A-Za-z][A-Za-z0-9._/-]*$/.test(text) &&
    !/^(y|n|yes|no|on|off|true|false|null)$/i.test(text);
  return plain ? text : JSON.stringify(text);
}

/** A cluster's words end up in a comment: a line break would end it. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
}

function fill(values: Readonly<Record<string, string>>): string {
  return configTemplate.replace(/\{\{(\w+)\}\}/g, (_, key: string) => {
    const value = values[key];
    if (value === undefined) throw new Error(`Cannot fill the template: no value for "${key}"`);
    return value;
  });
}
