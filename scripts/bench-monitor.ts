/**
 * What the monitor costs and how soon it sees: the way from a job's end to the word about it on
 * a real SLURM, and a quiet daemon with 1,000 trials.
 */
import { makeFakeSlurm } from "./fake-slurm.ts";

interface Event {
  at: number;
  by: string;
  what: {
    type: string;
    said?: { kind: string; trials?: [number, string][] };
    changes?: unknown[];
    tasks?: { task: number; trial: number }[];
    submission?: string;
  };
}

function line(what: string, text: string): void {
  console.log(`${what.padEnd(44)} ${text}`);
}

const LAUNCHER = `#!/bin/bash
sleep 1.$((RANDOM % 9))
case "$1" in *do=f*) echo "ValueError: $HYPERHERD_TRIAL_ID" >&2; exit 3 ;; esac
`;

/** From what a job wrote of its start or end to the event by which people and rules learn of it. */
export async function benchLatency(herd: string, folder: string): Promise<void> {
  const partition = await output("sinfo", ["-h", "-o", "%P"]);
  if (partition === undefined) return line("from SLURM to the word about it", "no SLURM here");
  const sweep = `${folder}/latency`;
  await Deno.mkdir(sweep, { recursive: true });
  const values = Array.from({ length: 26 }, (_, i) => `${i % 4 === 3 ? "f" : "v"}${i}`);
  await Deno.writeTextFile(
    `${sweep}/hyperherd.yaml`,
    `name: latency
scheduler: slurm
launcher: launch.sh
slurm: {partition: ${
      partition.split("\n")[0]!.replace("*", "")
    }, time: 5, mem: 20M, max_concurrent: 3}
monitor: {rollout: [rest], objective: none, interview: false}
remediation: {mode: notify}
grid: all
parameters:
  do: {type: discrete, values: [${values.join(", ")}]}
`,
  );
  await Deno.writeTextFile(`${sweep}/launch.sh`, LAUNCHER, { mode: 0o755 });
  await new Deno.Command(herd, {
    args: ["monitor", sweep, "--no-agent"],
    env: homeIn(folder),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  const delays = await delaysOf(sweep);
  const ms = (share: number) =>
    delays[Math.min(delays.length - 1, Math.floor(delays.length * share))];
  line(
    "from a change in SLURM to the word about it",
    `median ${ms(0.5)} ms, 95th percentile ${
      ms(0.95)
    } ms over ${delays.length} changes (aim: 2000)`,
  );
}

/** From what each job wrote of its start and end to the word about it. Milliseconds, sorted. */
export async function delaysOf(sweep: string): Promise<number[]> {
  const events = (await Deno.readTextFile(`${sweep}/.hyperherd/journal.jsonl`)).trim().split("\n")
    .map((text) => JSON.parse(text) as Event);
  const told = new Map<string, number>();
  for (const { at, what } of events) {
    for (const [trial, status] of what.said?.trials ?? []) {
      const key = `${trial} ${status === "running" ? "start" : "end"}`;
      if (!told.has(key)) told.set(key, at);
    }
  }
  const trials = new Map<string, number>();
  for (const { what } of events) {
    for (const { task, trial } of what.tasks ?? []) trials.set(`${what.submission}/${task}`, trial);
  }
  const delays: number[] = [];
  for (const [key, trial] of trials) {
    const record = await Deno.readTextFile(`${sweep}/.hyperherd/events/${key}.tsv`).catch(() => "");
    for (const [word, kind] of [["start", "start"], ["done", "end"]]) {
      const at = record.split("\n").find((text) => text.split("\t")[3] === word)?.split("\t")[0];
      const heard = told.get(`${trial} ${kind}`);
      if (at !== undefined && heard !== undefined) {
        delays.push(Math.max(0, heard - Number(at) * 1000));
      }
    }
  }
  return delays.map(Math.round).sort((a, b) => a - b);
}

/** Every task of every submission runs for ever. */
export const RUNNING = `#!/bin/bash
here=$(dirname "$0")
printf 'squeue %s\\n' "$*" >> "$here/calls"
while IFS=$'\\t' read -r number name spec; do
  low=\${spec%%-*} high=\${spec##*-}; high=\${high%%%*}
  for ((task = low; task <= high; task++)); do
    printf '%s|%s|RUNNING|0|2026-01-01T00:00:00|N/A|0|n1|None|%s|\\n' "$number" "$task" "$name"
  done
done < "$here/jobs"
`;

/** A thousand trials that run and say nothing new: what the daemon costs meanwhile. */
export async function benchQuiet(herd: string, folder: string): Promise<void> {
  const seconds = Number(Deno.env.get("HERD_BENCH_QUIET_SECONDS") ?? 600);
  const [bin, sweep] = [`${folder}/quiet-bin`, `${folder}/quiet`];
  await makeFakeSlurm(bin);
  await Deno.writeTextFile(`${bin}/squeue`, RUNNING, { mode: 0o755 });
  await Deno.mkdir(sweep, { recursive: true });
  const values = Array.from({ length: 1000 }, (_, i) => i).join(", ");
  await Deno.writeTextFile(
    `${sweep}/hyperherd.yaml`,
    `name: quiet
scheduler: slurm
launcher: launch.sh
slurm: {partition: cpu, time: UNLIMITED, mem: 1G}
monitor: {rollout: [rest], objective: none, interview: false}
grid: all
parameters:
  x: {type: discrete, values: [${values}]}
`,
  );
  await Deno.writeTextFile(`${sweep}/launch.sh`, "#!/bin/bash\ntrue\n", { mode: 0o755 });
  const child = new Deno.Command(herd, {
    args: ["monitor", sweep, "--no-agent"],
    env: { ...homeIn(folder), PATH: `${bin}:${Deno.env.get("PATH")}` },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    // The beginning is busy: it submits, looks and settles.
    const settle = Math.min(60, seconds / 2);
    await pause(settle);
    const before = await costOf(child.pid);
    const calls = (await read(`${bin}/calls`)).length;
    await pause(seconds - settle);
    const after = await costOf(child.pid);
    const asked = (await read(`${bin}/calls`)).slice(calls).filter((one) =>
      /^s(queue|acct)/.test(one)
    );
    const per = 3600 / (seconds - settle);
    line(
      `a quiet daemon, 1,000 trials, ${Math.round(seconds - settle)} s`,
      `${(after.rssKiB / 1024).toFixed(0)} MB resident (aim: 100), ` +
        `${(after.cpuSeconds - before.cpuSeconds).toFixed(2)} s of CPU, ` +
        `${after.writes - before.writes} writes, ${
          after.writtenKiB - before.writtenKiB
        } KiB written, ` +
        `${Math.round(asked.length * per)} SLURM calls per hour`,
    );
  } finally {
    Deno.kill(child.pid, "SIGTERM");
    await child.status;
  }
}

interface Cost {
  rssKiB: number;
  cpuSeconds: number;
  writes: number;
  writtenKiB: number;
}

/** Of the process itself, as Linux counts. */
async function costOf(pid: number): Promise<Cost> {
  const [status, stat, io] = await Promise.all(
    ["status", "stat", "io"].map((name) => Deno.readTextFile(`/proc/${pid}/${name}`)),
  );
  const number = (text: string, key: string) =>
    Number(text.match(new RegExp(`^${key}:\\s+(\\d+)`, "m"))?.[1] ?? 0);
  const fields = stat!.slice(stat!.lastIndexOf(")") + 2).split(" ");
  return {
    rssKiB: number(status!, "VmRSS"),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    writes: number(io!, "syscw"),
    writtenKiB: Math.round(number(io!, "wchar") / 1024),
  };
}

function homeIn(folder: string): Record<string, string> {
  return { HOME: folder, XDG_STATE_HOME: `${folder}/state`, XDG_RUNTIME_DIR: folder };
}

async function read(path: string): Promise<string[]> {
  return (await Deno.readTextFile(path).catch(() => "")).trim().split("\n");
}

async function output(program: string, args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() || undefined : undefined;
  } catch {
    return undefined;
  }
}

function pause(seconds: number): Promise<void> {
  return new Promise((next) => setTimeout(next, seconds * 1000));
}
