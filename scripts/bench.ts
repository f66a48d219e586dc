/** deno task bench: how long the things take that people wait for, and how they grow. */
import { benchBroker } from "./bench-broker.ts";
import { benchDiscord } from "./bench-discord.ts";
import { benchLatency, benchQuiet } from "./bench-monitor.ts";
import { benchMonitorDay } from "./bench-monitor-day.ts";
import { benchSshLatency, benchSshLooks } from "./bench-ssh.ts";
import { compile, isStale } from "./compile.ts";
import { makeFakeSlurm } from "./fake-slurm.ts";
import { ensureInstalled, ROOT } from "./setup.ts";

const HERD = `${ROOT}herd`;

interface Measured {
  /** Median, milliseconds. */
  ms: number;
  /** Highest of the runs, megabytes. */
  peak: number;
  stdout: string;
  /** First line of what it complained of; undefined when it ended well. */
  failed: string | undefined;
}

/** Runs a child once and prints its wall time in ms and its peak memory in KiB as a last line of stderr. */
const STOPWATCH = `import resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.call(sys.argv[1:])
ms = (time.perf_counter() - start) * 1000
print(f"\\n@{ms:.2f} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}", file=sys.stderr)
sys.exit(code)`;

async function measure(
  argv: string[],
  times: number,
  env: Record<string, string> = {},
): Promise<Measured> {
  const runs: { ms: number; peak: number }[] = [];
  let stdout = "";
  for (let i = 0; i < times; i++) {
    const result = await new Deno.Command("python3", {
      args: ["-c", STOPWATCH, ...argv],
      env: { NO_COLOR: "1", ...env },
    }).output();
    const stderr = new TextDecoder().decode(result.stderr);
    const failed = stderr.trim().split("\n")[0] ?? "";
    if (!result.success) return { ms: NaN, peak: NaN, stdout: "", failed };
    const [, ms, kib] = stderr.match(/@([\d.]+) (\d+)\s*$/) ?? [];
    runs.push({ ms: Number(ms), peak: Number(kib) / 1024 });
    stdout = new TextDecoder().decode(result.stdout);
  }
  const middle = runs.map((one) => one.ms).sort((a, b) => a - b)[Math.floor(times / 2)]!;
  return { ms: middle, peak: Math.max(...runs.map((one) => one.peak)), stdout, failed: undefined };
}

/** One line: what, how long, and what was aimed at. */
function report(what: string, { ms, peak, failed }: Measured, aim = "", extra = ""): void {
  const told = failed === undefined
    ? `${ms.toFixed(ms < 100 ? 1 : 0).padStart(8)} ms  ${peak.toFixed(0).padStart(5)} MB  ${
      aim.padEnd(22)
    } ${extra}`
    : `     cannot: ${failed}`;
  console.log(`${what.padEnd(44)} ${told}`.trimEnd());
}

async function makeSweep(folder: string, trials: number): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const values = Array.from({ length: trials / 100 }, (_, i) => i);
  await Deno.writeTextFile(
    `${folder}/hyperherd.yaml`,
    `name: bench
grid: all
slurm: {partition: cpu, time: "01:00:00", mem: 1G, cpus_per_task: 1}
launcher: launch.sh
parameters:
  a: {type: discrete, values: [${values.join(", ")}]}
  b: {type: discrete, values: [${Array.from({ length: 100 }, (_, i) => i).join(", ")}]}
`,
  );
  await Deno.writeTextFile(`${folder}/launch.sh`, "#!/bin/bash\ntrue\n", { mode: 0o755 });
  return folder;
}

async function benchStart(): Promise<void> {
  const herd = await measure([HERD, "--version"], 21);
  const python = await measure(["python3", "-c", "pass"], 21);
  report("herd --version", herd, "aim: 40 ms");
  report("python3 -c pass", python, "", `${(herd.ms / python.ms).toFixed(2)} herds to a python`);
}

async function benchExpansion(folder: string): Promise<void> {
  const sweep = await makeSweep(`${folder}/expand`, 100_000);
  report(
    "herd ls --json, 100,000 trials expanded",
    await measure([HERD, "ls", sweep, "--json"], 3),
    "aim: 3000 ms, 500 MB",
  );
}

async function benchSweep(folder: string, trials: number, aim: string): Promise<void> {
  const bin = `${folder}/bin-${trials}`;
  await makeFakeSlurm(bin);
  const env = { PATH: `${bin}:${Deno.env.get("PATH")}` };
  const sweep = await makeSweep(`${folder}/sweep-${trials}`, trials);
  const shown = trials.toLocaleString("en");
  report(
    `herd run --dry-run, ${shown} trials`,
    await measure([HERD, "run", sweep, "-n", "--json"], 3, env),
    trials === 10_000 ? "aim: 1000 ms" : "",
  );
  const submitted = await measure([HERD, "run", sweep, "--json"], 1, env);
  const scripts = (await read(`${bin}/bytes`)).split("\n").map(Number);
  const largest = `${scripts.length} scripts, largest ${
    (Math.max(...scripts) / 1024).toFixed(0)
  } KiB (aim: 256)`;
  report(`herd run, ${shown} trials submitted`, submitted, "", largest);
  if (submitted.failed !== undefined) return;
  await measure([HERD, "status", sweep, "--json"], 1, env);
  await Deno.remove(`${bin}/calls`).catch(() => {});
  const status = await measure([HERD, "status", sweep, "--json"], 5, env);
  const calls = (await read(`${bin}/calls`)).split("\n").filter((line) =>
    /^(squeue|sacct|scontrol)/.test(line)
  );
  report(
    `herd status --json, ${shown} trials`,
    status,
    aim,
    `${calls.length / 5} calls of SLURM per look (aim: 2)`,
  );
}

async function read(path: string): Promise<string> {
  return (await Deno.readTextFile(path).catch(() => "")).trim();
}

if (import.meta.main) {
  await ensureInstalled();
  if (await isStale()) await compile();
  const folder = await Deno.makeTempDir({ prefix: "herd-bench-" });
  try {
    await benchStart();
    await benchExpansion(folder);
    await benchSweep(folder, 1000, "aim: 100 ms");
    await benchSweep(folder, 10_000, "aim: 400 ms");
    await benchMonitorDay();
    await benchLatency(HERD, folder);
    await benchSshLooks();
    await benchSshLatency();
    await benchDiscord();
    await benchBroker();
    await benchQuiet(HERD, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
