import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { UserError } from "../base/errors.ts";
import type { Finding } from "../base/finding.ts";
import { runProcess } from "../base/process.ts";
import { count } from "../base/text.ts";
import { chooseScheduler } from "../schedulers/choose.ts";
import type { Limits, Partition } from "../schedulers/scheduler.ts";
import { askSiteFacts } from "../schedulers/slurm/site-facts.ts";
import { workspacePaths } from "../store/paths.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import { CONFIG_NAME, emptyWorkspace, findWorkspace } from "../store/workspace.ts";
import type { Config } from "../sweep/config.ts";
import { checkElsewhere } from "./check-elsewhere.ts";
import { judgeFolder } from "./folder-findings.ts";
import { judgeMachine } from "./machine-findings.ts";
import { openOutside } from "./open-outside.ts";
import type { Outside, OutsideRequest } from "./outside.ts";
import { judgePartitions, judgePrograms, judgeSite, PROGRAMS } from "./slurm-findings.ts";
import { slurmAt, slurmHere, type SlurmPlace } from "./slurm-place.ts";

export interface Checkup {
  findings: readonly Finding[];
  partitions: readonly Partition[];
  /** The folder that was looked at. */
  folder: string;
  /** What no program can find out, a sentence each. */
  unknowable: readonly string[];
}

const UNKNOWABLE = [
  "What a login node lets run for long is the site's rule: ask before you leave " +
  "`herd run --wait` running for days",
  "Compute nodes may differ from this machine in bash, modules and mounts: " +
  "`herd run -i 0 --wait` tries one trial",
  "Quotas of network file systems are often not told to programs: see the site's own command",
];

/** Looks at all that herd needs here and where its jobs run, tries it out where that does no harm, and keeps nothing. */
export async function checkUp(request: OutsideRequest): Promise<Checkup> {
  const { env, clock } = request;
  const { paths, outside, config, findings } = openForCheckup(request);
  const host = outside?.host();
  const isSlurm = chooseScheduler({ flag: undefined, config: config?.scheduler }, env) === "slurm";
  // Where jobs run elsewhere, no compute node sees this folder.
  const slurm = isSlurm && host === undefined;
  const [site, machine] = await Promise.all([
    askSlurm(request, config, host),
    judgeMachine({ run: runProcess, environment: env }),
  ]);
  const dotenv = outside && attempt(() => outside.dotenv(), findings);
  const notices = [...outside?.notices() ?? [], ...dotenv?.notices ?? []];
  return {
    findings: [
      ...site.findings,
      ...findings,
      ...notices.map(({ message }): Finding => ({ area: "Workspace", mark: "doubt", message })),
      ...await examineElsewhere(outside),
      ...judgeFolder(paths, { clock, slurm }),
      ...machine,
    ],
    partitions: site.partitions,
    folder: paths.root,
    unknowable: UNKNOWABLE,
  };
}

/** The folder and the programs on the computer where jobs run. */
async function examineElsewhere(outside: Outside | undefined): Promise<Finding[]> {
  const there = outside && await checkElsewhere(outside, { cluster: true });
  if (there === undefined) return [];
  const area = "Workspace";
  const host = outside!.host();
  const wrong = there.problems.map(({ message, hint }): Finding => ({
    ...{ area, mark: "bad", message },
    ...(hint === undefined ? {} : { mend: hint }),
  }));
  if (wrong.length > 0 || there.path === undefined) return wrong;
  const message = `Jobs run in ${there.path} on "${host}"; what they write comes here`;
  return [{ area, mark: "good", message }];
}

interface Opened {
  paths: WorkspacePaths;
  outside: Outside | undefined;
  config: Config | undefined;
  findings: Finding[];
}

/** A workspace, or a folder that may become one. Throws UserError when there is no such path. */
function openForCheckup(request: OutsideRequest): Opened {
  if (request.workspace === "") throw emptyWorkspace();
  const folder = resolve(request.workspace);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() === true && !existsSync(join(folder, CONFIG_NAME))) {
    const message = `There is no sweep in ${folder} yet`;
    const finding: Finding = { area: "Workspace", mark: "doubt", message, mend: "`herd init`" };
    const paths = workspacePaths(folder);
    return { paths, outside: undefined, config: undefined, findings: [finding] };
  }
  const paths = findWorkspace(request.workspace);
  const findings: Finding[] = [];
  const outside = attempt(() => openOutside(request), findings);
  const config = outside && attempt(() => outside.sweep().config, findings, "`herd check`");
  const trials = outside?.state().trials.size ?? 0;
  if (config !== undefined) {
    findings.push({
      area: "Workspace",
      mark: "good",
      message: `Sweep ${config.name} in ${paths.root}: ` +
        (trials === 0 ? "nothing submitted yet" : count(trials, "trial")),
    });
  }
  return { paths, outside, config, findings };
}

function attempt<T>(act: () => T, findings: Finding[], mend?: string): T | undefined {
  try {
    return act();
  } catch (error) {
    findings.push({
      area: "Workspace",
      mark: "bad",
      message: (error as Error).message,
      ...(mend === undefined ? {} : { mend }),
    });
    return undefined;
  }
}

async function askSlurm(
  request: OutsideRequest,
  config: Config | undefined,
  host: string | undefined,
): Promise<{ findings: Finding[]; partitions: readonly Partition[] }> {
  try {
    return await judgeSlurm(await placeOf(request, host), config);
  } catch (error) {
    // A MirrorError is one as well.
    if (host === undefined || !(error instanceof UserError)) throw error;
    const mend = `herd hosts check ${host}`;
    const message = `SLURM cannot be asked on "${host}": ${error.message}`;
    return { findings: [{ area: "SLURM", mark: "bad", message, mend }], partitions: [] };
  }
}

async function placeOf(
  { env, clock, signal, reach }: OutsideRequest,
  host: string | undefined,
): Promise<SlurmPlace> {
  if (host === undefined || reach === undefined) return slurmHere(env, clock);
  return await slurmAt(reach(host), { clock, signal, programs: PROGRAMS });
}

async function judgeSlurm(
  place: SlurmPlace,
  config: Config | undefined,
): Promise<{ findings: Finding[]; partitions: readonly Partition[] }> {
  const programs = judgePrograms(place, config?.scheduler === "slurm");
  if (!place.isInstalled("sbatch")) return { findings: programs, partitions: [] };
  const facts = await askSiteFacts(place);
  // Each of the limits' questions would wait ten seconds for a controller that is known to be down.
  const limits = facts.controller.up
    ? await place.scheduler.limits(config?.slurm).catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error))
    )
    : undefined;
  const findings = [...programs, ...judgeSite(facts, limits)];
  if (!isLimits(limits)) return { findings, partitions: [] };
  findings.push(...judgePartitions(limits, config?.slurm.partition));
  return { findings, partitions: limits.partitions };
}

function isLimits(limits: Limits | Error | undefined): limits is Limits {
  return limits !== undefined && !(limits instanceof Error);
}
