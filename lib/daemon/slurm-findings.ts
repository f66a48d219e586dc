import type { Finding } from "../base/finding.ts";
import { count } from "../base/text.ts";
import type { Limits } from "../schedulers/scheduler.ts";
import type { QosLimits, SiteFacts } from "../schedulers/slurm/site-facts.ts";

const AREA = "SLURM";
/** Which of SLURM's programs herd calls. */
export const PROGRAMS = ["sbatch", "squeue", "scancel", "sacct", "scontrol", "sinfo"];
const NEEDED = ["sbatch", "squeue", "scancel"] as const;
const USEFUL = { sacct: "accounting", scontrol: "limits", sinfo: "partitions" } as const;
/** Shorter than this, a trainer that is told to end can hardly save a checkpoint. */
const SHORT_KILL_WAIT_SECONDS = 20;

/** Which of SLURM's programs are there. `wanted`: the sweep says that it needs them. */
export function judgePrograms(
  { name, isInstalled }: { name: string; isInstalled(program: string): boolean },
  wanted: boolean,
): Finding[] {
  const missing = NEEDED.filter((program) => !isInstalled(program));
  if (missing.length === NEEDED.length) {
    const message = `SLURM is not on the PATH of ${name}`;
    if (!wanted) {
      return [doubt(`${message}: trials run as processes here`)];
    }
    return [bad(`${message}, and the YAML asks for it`, "Use a login node, or scheduler: local")];
  }
  if (missing.length > 0) {
    const which = missing.map((one) => `"${one}"`).join(" and ");
    return [bad(`${which} cannot be found on the PATH`, "Load the site's SLURM module")];
  }
  return Object.entries(USEFUL).filter(([program]) => !isInstalled(program))
    .map(([program, what]) => doubt(`"${program}" cannot be found: no ${what} can be learnt`));
}

/** What the site's answers mean for a sweep. */
export function judgeSite(facts: SiteFacts, limits: Limits | Error | undefined): Finding[] {
  const findings = [
    facts.version === undefined
      ? doubt("The version of SLURM is not known")
      : judgeVersion(facts.version),
    facts.controller.up ? good(`The controller answers: ${facts.controller.detail}`) : bad(
      `The controller does not answer: ${facts.controller.detail}`,
      "Try later; herd loses nothing meanwhile and never takes silence for an end",
    ),
    ...judgeAccounting(facts),
  ];
  if (limits instanceof Error) {
    findings.push(bad(`The limits cannot be learnt: ${limits.message}`, "Try later"));
  } else if (limits !== undefined) findings.push(...judgeLimits(limits));
  if (facts.controller.up) findings.push(...judgeConfig(facts.config));
  for (const qos of facts.qos) findings.push(...judgeQos(qos));
  return findings;
}

function judgeVersion(version: string): Finding {
  const [year = 0] = version.split(".").map(Number);
  return year >= 20
    ? good(`SLURM ${version}`)
    : doubt(`SLURM ${version} is older than any that herd was tried with (22.05)`);
}

function judgeAccounting({ config, accounting }: SiteFacts): Finding[] {
  if (config.get("AccountingStorageType")?.endsWith("none") === true) {
    return [doubt(
      "There is no accounting: what becomes of a job is learnt from its own records only",
    )];
  }
  const ms = Math.round(accounting.durationMs);
  if (accounting.answers) return [good(`Accounting answers (sacct, ${ms} ms)`)];
  return [doubt(
    `Accounting does not answer: ${accounting.detail || "no reason given"}`,
    "Endings are learnt from the jobs' own records meanwhile",
  )];
}

function judgeLimits(limits: Limits): Finding[] {
  const { maxArraySize, maxSubmit, submittedNow } = limits;
  const arrays = maxArraySize > 1
    ? good(`Arrays have up to ${maxArraySize} tasks; larger sweeps are split`)
    : bad("Job arrays are switched off (MaxArraySize)", "Ask the site's staff to allow them");
  if (maxSubmit === undefined) return [arrays, good("No limit on submitted jobs is known")];
  const now = submittedNow === undefined ? "" : `, ${submittedNow} are there now`;
  return [
    arrays,
    good(`At most ${maxSubmit} jobs of yours at once${now}; \`herd run --wait\` fills up`),
  ];
}

function judgeConfig(config: ReadonlyMap<string, string>): Finding[] {
  const findings: Finding[] = [];
  if (config.get("JobAcctGatherType")?.endsWith("none") === true) {
    findings.push(doubt("Memory of jobs is not measured (JobAcctGatherType is none)"));
  }
  const wait = parseInt(config.get("KillWait") ?? "", 10);
  if (wait < SHORT_KILL_WAIT_SECONDS) {
    findings.push(doubt(
      `A trial that is cancelled or out of time is killed ${count(wait, "second")} after its ` +
        "warning (KillWait)",
      "slurm.signal: USR1@120 in the YAML warns it two minutes before the time limit",
    ));
  } else if (wait > 0) {
    findings.push(good(`A cancelled trial has ${wait} s to save its state (KillWait)`));
  }
  return findings;
}

/** Only those that limit something. */
function judgeQos({ name, maxWall, maxJobs, maxSubmit, maxResources }: QosLimits): Finding[] {
  const parts = [
    maxWall && `time up to ${maxWall}`,
    maxJobs && `${maxJobs} running`,
    maxSubmit && `${maxSubmit} submitted`,
    maxResources && `together ${maxResources}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? [] : [good(`QOS ${name}, per user: ${parts.join(", ")}`)];
}

/** Partitions, and the one that the YAML names. */
export function judgePartitions(
  { partitions }: Limits,
  wanted: string | undefined,
): Finding[] {
  const area = "Partitions";
  if (partitions.length === 0) {
    return [{ area, mark: "bad", message: "No partition is to be seen", mend: "Try `sinfo`" }];
  }
  const named = wanted?.split(",") ?? [];
  const findings: Finding[] = named.filter((name) => !partitions.some((one) => one.name === name))
    .map((name) => ({
      area,
      mark: "bad",
      message: `The YAML asks for partition "${name}", which does not exist`,
      mend: `Use one of ${partitions.map((one) => `"${one.name}"`).join(", ")}`,
    }));
  for (const { name, up } of partitions) {
    if (up) continue;
    const asked = named.includes(name);
    findings.push({
      area,
      mark: "doubt",
      message: `Partition "${name}" is down: jobs wait${asked ? ", and the YAML asks for it" : ""}`,
    });
  }
  if (findings.length === 0) {
    findings.push({ area, mark: "good", message: `${count(partitions.length, "partition")} up` });
  }
  return findings;
}

function good(message: string): Finding {
  return { area: AREA, mark: "good", message };
}

function doubt(message: string, mend?: string): Finding {
  return { area: AREA, mark: "doubt", message, ...(mend === undefined ? {} : { mend }) };
}

function bad(message: string, mend: string): Finding {
  return { area: AREA, mark: "bad", message, mend };
}
