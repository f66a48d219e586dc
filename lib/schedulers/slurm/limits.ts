import { SchedulerError } from "../../base/errors.ts";
import type { Limits, Partition } from "../scheduler.ts";
import { answerOf, type Call } from "./call.ts";
import { parseBytes, parseDuration } from "./quantities.ts";

export interface LimitsRequest {
  partition?: string | undefined;
  account?: string | undefined;
  qos?: string | undefined;
}

/** Asks the site what it allows. Throws SchedulerError `unreachable` when the controller is silent. */
export async function discoverLimits(
  call: Call,
  uid: number,
  request: LimitsRequest,
): Promise<Limits> {
  const [config, partitions, nodes, queue] = await Promise.all([
    must(call, ["scontrol", "show", "config"]),
    must(call, ["scontrol", "-o", "show", "partition"]),
    must(call, ["sinfo", "-h", "-e", "-o", "%R|%c|%m|%D|%G"]),
    must(call, ["squeue", "-h", "-r", "-u", `${uid}`, "-t", "PD,R,S,CF,CG", "-o", "%i"]),
  ]);
  const settings = parseSettings(config);
  const list = parsePartitions(partitions, nodes);
  const rules = /limits|safe|all/i.test(settings.get("AccountingStorageEnforce") ?? "")
    ? await accountingRules(call, uid, request, partitionQos(partitions, request, list))
    : [];
  return combine(settings, list, rules, request, queue.split("\n").filter(Boolean).length);
}

async function must(call: Call, argv: readonly string[]): Promise<string> {
  const ended = await call(argv);
  const answer = answerOf(ended);
  if (answer.answered) return ended.stdout;
  throw new SchedulerError(
    "unreachable",
    `Cannot learn the limits of SLURM: ${answer.message}`,
    { detail: ended.stderr },
  );
}

/** `Key = value` lines of `scontrol show config`. */
export function parseSettings(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(/^(\S+)\s*= ?(.*)$/gm)].map((match) => [match[1]!, match[2]!.trim()]),
  );
}

/** Partitions as `scontrol -o show partition` and `sinfo` tell of them. */
export function parsePartitions(scontrol: string, sinfo: string): Partition[] {
  const shapes = sinfo.split("\n").flatMap((line) => {
    const [name, cpus, memory, count, gres] = line.split("|");
    return gres === undefined
      ? []
      : [{ name, cpus: parseInt(cpus!), memory: parseInt(memory!), count: Number(count), gres }];
  });
  return scontrol.split("\n").filter((line) => line.startsWith("PartitionName=")).map((line) => {
    const fields = fieldsOf(line);
    const name = fields.get("PartitionName")!;
    const own = shapes.filter((shape) => shape.name === name);
    const memory = largest(own.map((shape) => shape.memory));
    const cap = capOf(fields.get("MaxMemPerNode"));
    const gres = [...new Set(own.map((shape) => shape.gres).filter((each) => each !== "(null)"))];
    return {
      name,
      isDefault: fields.get("Default") === "YES",
      up: fields.get("State") === "UP",
      maxTimeSeconds: parseDuration(fields.get("MaxTime") ?? ""),
      defaultTimeSeconds: parseDuration(fields.get("DefaultTime") ?? ""),
      nodes: own.reduce((sum, shape) => sum + shape.count, 0),
      cpusPerNode: smaller(
        largest(own.map((shape) => shape.cpus)),
        capOf(fields.get("MaxCPUsPerNode")),
      ),
      memoryMiBPerNode: smaller(memory, cap),
      gres: gres.length === 0 ? undefined : gres.join(","),
    };
  });
}

function fieldsOf(line: string): Map<string, string> {
  return new Map([...line.matchAll(/(\S+?)=(\S*)/g)].map((match) => [match[1]!, match[2]!]));
}

function capOf(text: string | undefined): number | undefined {
  const value = parseBytes(text ?? "");
  return value === 0 ? undefined : value;
}

function partitionQos(scontrol: string, request: LimitsRequest, list: Partition[]): string[] {
  const names = chosen(list, request).map(({ name }) => name);
  return scontrol.split("\n").map(fieldsOf)
    .filter((fields) => names.includes(fields.get("PartitionName") ?? ""))
    .flatMap((fields) => fields.get("QoS") ?? []);
}

function chosen(partitions: readonly Partition[], { partition }: LimitsRequest): Partition[] {
  const names = partition?.split(",");
  return partitions.filter(({ name, isDefault }) =>
    names === undefined ? isDefault : names.includes(name)
  );
}

/** One rule of an association or a QOS that applies to the user. */
export interface Rule {
  maxSubmit: number | undefined;
  maxWallSeconds: number | undefined;
}

/** Silence of the accounting tool leaves the rules unknown; submission then finds out. */
async function accountingRules(
  call: Call,
  uid: number,
  request: LimitsRequest,
  partitionQos: readonly string[],
): Promise<Rule[]> {
  const user = (await call(["id", "-nu", `${uid}`])).stdout.trim();
  if (user === "") return [];
  const [associations, qos] = await Promise.all([
    call(["sacctmgr", "-n", "-P", "show", "assoc", "where", `user=${user}`, `format=${ASSOC}`]),
    call(["sacctmgr", "-n", "-P", "show", "qos", `format=${QOS}`]),
  ]);
  return parseRules(associations.stdout, qos.stdout, request, partitionQos);
}

const ASSOC = "Account,Partition,DefaultQOS,MaxSubmitJobs,GrpSubmitJobs,MaxWall";
const QOS = "Name,MaxSubmitJobsPerUser,MaxSubmitJobsPerAccount,GrpSubmitJobs,MaxWall";

/** The rules that hold for a request, from `sacctmgr show assoc` and `show qos`. */
export function parseRules(
  associations: string,
  qos: string,
  request: LimitsRequest,
  partitionQos: readonly string[],
): Rule[] {
  const own = rowsOf(associations).filter(([account, partition]) =>
    (request.account === undefined || account === request.account) &&
    (partition === "" || request.partition === undefined || partition === request.partition)
  );
  const names = new Set([
    ...(request.qos === undefined ? own.flatMap(([, , name]) => name || "normal") : [request.qos]),
    ...partitionQos,
  ]);
  const rules = own.map(([, , , submit, group, wall]) => ruleOf([submit, group], wall));
  for (const [name, user, account, group, wall] of rowsOf(qos)) {
    if (names.has(name!)) rules.push(ruleOf([user, account, group], wall));
  }
  return rules;
}

function rowsOf(text: string): string[][] {
  return text.split("\n").filter(Boolean).map((line) => line.split("|"));
}

function ruleOf(submits: readonly (string | undefined)[], wall: string | undefined): Rule {
  const numbers = submits.flatMap((text) => /^\d+$/.test(text ?? "") ? [Number(text)] : []);
  return {
    maxSubmit: numbers.length === 0 ? undefined : Math.min(...numbers),
    maxWallSeconds: parseDuration(wall ?? "") ?? undefined,
  };
}

function combine(
  settings: ReadonlyMap<string, string>,
  partitions: readonly Partition[],
  rules: readonly Rule[],
  request: LimitsRequest,
  submittedNow: number,
): Limits {
  const usable = chosen(partitions, request);
  const jobCount = Number(settings.get("MaxJobCount")) || undefined;
  const submits = rules.flatMap(({ maxSubmit }) => maxSubmit ?? []);
  // The controller refuses the job that would make the count equal to its limit.
  if (jobCount !== undefined) submits.push(jobCount - 1);
  const times = usable.map(({ maxTimeSeconds }) => maxTimeSeconds);
  const walls = rules.flatMap(({ maxWallSeconds }) => maxWallSeconds ?? []);
  return {
    maxArraySize: Number(settings.get("MaxArraySize")) || 1001,
    maxSubmit: submits.length === 0 ? undefined : Math.min(...submits),
    submittedNow,
    maxTimeSeconds: longest(times, walls),
    maxMemoryMiB: largest(usable.flatMap(({ memoryMiBPerNode }) => memoryMiBPerNode ?? [])),
    maxCpusPerNode: largest(usable.flatMap(({ cpusPerNode }) => cpusPerNode ?? [])),
    accounting: /^accounting_storage\/(?!none)/.test(settings.get("AccountingStorageType") ?? ""),
    partitions,
    version: settings.get("SLURM_VERSION"),
  };
}

/** The longest time of the partitions, cut by the shortest rule; null is unlimited. */
function longest(
  times: readonly (number | null | undefined)[],
  walls: readonly number[],
): number | null | undefined {
  const known = times.filter((time) => time !== undefined);
  if (known.length === 0) return walls.length === 0 ? undefined : Math.min(...walls);
  const time = known.includes(null) ? Infinity : Math.max(...known.map(Number));
  const most = Math.min(time, ...walls);
  return most === Infinity ? null : most;
}

function largest(numbers: readonly number[]): number | undefined {
  const known = numbers.filter((each) => Number.isFinite(each));
  return known.length === 0 ? undefined : Math.max(...known);
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
