import { hostname, release } from "node:os";
import type { Finding } from "../base/finding.ts";
import { memoryBytes, processors } from "../base/machine.ts";
import { processLimits } from "../base/process-limits.ts";
import type { Runner } from "../base/process.ts";
import { memoryText } from "../sweep/efficiency.ts";

const AREA = "This machine";
const GIB = 1024 ** 3;

/** What herd itself and the trials' scripts need of the machine that it runs on. */
export async function judgeMachine(
  { run, environment }: {
    run: Runner;
    environment: Readonly<Record<string, string | undefined>>;
  },
): Promise<Finding[]> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined) env[name] = value;
  }
  const [bash, python] = await Promise.all([
    run(["bash", "--version"], { env, timeoutMs: 10_000 }),
    run(["python3", "--version"], { env, timeoutMs: 10_000 }),
  ]);
  return [
    good(
      `${hostname()}: Linux ${release()}, ${processors()} processors, ` +
        `${memoryText(memoryBytes())} of memory for you`,
    ),
    judgeBash(bash.stdout),
    python.ok
      ? good(`${python.stdout.trim() || python.stderr.trim()}, for trainers; herd needs none`)
      : doubt("There is no python3; herd needs none, trainers may"),
    ...judgeLimits(processLimits()),
  ];
}

/** Batch scripts use what bash has since 4.2: `printf '%(…)T'` and redirections to a variable. */
export function judgeBash(text: string): Finding {
  const [, version, major, minor] = /((\d+)\.(\d+)[\w.]*)/.exec(text) ?? [];
  if (version === undefined) {
    return bad("There is no bash, which runs batch scripts and launchers", "Install bash");
  }
  return Number(major) > 4 || (major === "4" && Number(minor) >= 2) ? good(`bash ${version}`) : bad(
    `bash ${version} is too old for batch scripts, wanted is 4.2 or later`,
    "Load a newer one",
  );
}

/** By the kernel's names for what `ulimit` sets. */
export function judgeLimits(limits: ReadonlyMap<string, number>): Finding[] {
  const findings: Finding[] = [];
  const files = limits.get("Max open files") ?? Infinity;
  if (files < 256) {
    findings.push(doubt(`Only ${files} files may be open at once`, "ulimit -n 1024"));
  }
  const processes = limits.get("Max processes") ?? Infinity;
  if (processes < 64) {
    findings.push(doubt(
      `Only ${processes} processes and threads of yours may run at once (ulimit -u)`,
      "Trials on the local scheduler need more",
    ));
  }
  const memory = limits.get("Max address space") ?? Infinity;
  if (memory < 16 * GIB) {
    findings.push(doubt(
      `Address space is limited to ${memoryText(memory)} (ulimit -v), which the runtime may exceed`,
      "ulimit -v unlimited",
    ));
  }
  const fileSize = limits.get("Max file size") ?? Infinity;
  if (fileSize < GIB) {
    findings.push(doubt(
      `Files may be no larger than ${memoryText(fileSize)} (ulimit -f): logs would be cut`,
      "ulimit -f unlimited",
    ));
  }
  const cpu = limits.get("Max cpu time") ?? Infinity;
  if (cpu < Infinity) {
    findings.push(doubt(
      `Processes here are killed after ${cpu} s of processor time (ulimit -t)`,
      "Use the scheduler for trials; `herd run --wait` may be ended as well",
    ));
  }
  return findings.length > 0 ? findings : [good("No limit of the shell (ulimit) is in the way")];
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
