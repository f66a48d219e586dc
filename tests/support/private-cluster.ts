import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { runProcess } from "../../lib/base/process.ts";
import type { Ended } from "../../lib/base/process.ts";

export interface ClusterOptions {
  /** A slurmdbd of its own, in a database of its own, or no accounting at all. */
  accounting: "own" | "none";
  /** Settings of slurm.conf; they win over the defaults here. */
  settings?: Readonly<Record<string, string>>;
  /** What stands behind `PartitionName=`; by default one partition "main". */
  partitions?: readonly string[];
  /** Programs that stand before the real ones on the PATH of whoever uses `env`. */
  programs?: Readonly<Record<string, string>>;
}

export type Daemon = "slurmctld" | "slurmdbd" | "n3" | "n4";

/** A SLURM that one test has for itself, and may stop, freeze and kill as it likes. */
export interface PrivateCluster {
  /** For `herd` and SLURM's programs: SLURM_CONF, and PATH where there are `programs`. */
  env: Record<string, string>;
  /** The folder that is gone with the cluster; test programs may keep their files in it. */
  dir: string;
  /** Runs one of SLURM's programs, which must succeed. */
  slurm(...argv: string[]): Promise<string>;
  /** The same, whatever comes of it. */
  ask(...argv: string[]): Promise<Ended>;
  freeze(daemon: Daemon): void;
  thaw(daemon: Daemon): void;
  /** As an administrator does: it saves its state, and is gone when this resolves. */
  stop(daemon: Daemon): Promise<void>;
  /** `kill -9`: a controller forgets what it had not saved, such as which tasks it had started. */
  kill(daemon: Daemon): Promise<void>;
  /** Starts a daemon that was ended, and waits until it answers. */
  start(daemon: Daemon): Promise<void>;
  /** Processes on this machine that belong to a job: its stepd, script and trainer. */
  processesOf(rawJobId: string): number[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Why no second SLURM can be raised here, or false when one can. */
export const withoutPrivateCluster: string | false = reason();

function reason(): string | false {
  if (process.platform !== "linux") return "SLURM needs Linux";
  if (process.getuid?.() !== 0) return "a second SLURM needs root";
  for (const program of ["slurmctld", "slurmd", "slurmdbd", "munge", "mariadb", "setsid"]) {
    if (!succeeds("sh", "-c", `command -v ${program}`)) return `there is no ${program} here`;
  }
  if (!succeeds("munge", "-n")) return "munged does not answer";
  return succeeds("mariadb", "-e", "select 1") ? false : "MariaDB does not answer root";
}

function succeeds(...argv: [string, ...string[]]): boolean {
  try {
    execFileSync(argv[0], argv.slice(1), { stdio: "ignore", timeout: 15_000 });
    return true;
  } catch {
    return false;
  }
}

/** Raises a cluster of two nodes, n3 and n4, with eight CPUs each, that answers when this resolves. */
export async function startCluster(options: ClusterOptions): Promise<PrivateCluster> {
  const dir = mkdtempSync(join(tmpdir(), "herd-cluster-"));
  const name = dir.slice(-6).toLowerCase().replace(/[^a-z0-9]/g, "x");
  const ports = await freePorts(4);
  writeConfiguration(dir, name, ports, options);
  const keeper = startKeeper(dir, name, options.accounting === "own");
  const cluster = handle(dir, options, keeper);
  try {
    if (options.accounting === "own") {
      await cluster.start("slurmdbd");
      await cluster.slurm("sacctmgr", "-i", "add", "cluster", `herd${name}`);
    }
    keeper.begin("n3");
    keeper.begin("n4");
    await cluster.start("slurmctld");
    return cluster;
  } catch (error) {
    const logs = await runProcess(["bash", "-c", `tail -n 20 ${dir}/log/*`]);
    await cluster[Symbol.asyncDispose]();
    throw new Error(`The second SLURM does not come up: ${error}\n${logs.stdout}`);
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () =>
      new Promise<ReturnType<typeof createServer>>((resolve) => {
        const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
      })),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const DEFAULTS: Readonly<Record<string, string>> = {
  SlurmctldHost: "localhost",
  AuthType: "auth/munge",
  SlurmUser: "root",
  SlurmdUser: "root",
  ProctrackType: "proctrack/linuxproc",
  TaskPlugin: "task/none",
  SwitchType: "switch/none",
  MpiDefault: "none",
  ReturnToService: "2",
  SchedulerType: "sched/backfill",
  SchedulerParameters:
    "sched_interval=1,bf_interval=1,batch_sched_delay=0,bf_max_job_test=2000,default_queue_depth=1000",
  SelectType: "select/cons_tres",
  SelectTypeParameters: "CR_Core_Memory",
  JobAcctGatherType: "jobacct_gather/linux",
  JobAcctGatherFrequency: "task=1",
  CommunicationParameters: "NoCtldInAddrAny,NoInAddrAny",
  MinJobAge: "60",
  KillWait: "2",
  InactiveLimit: "0",
  SlurmdParameters: "config_overrides",
  // Above the job ids of any other cluster that shares the machine.
  FirstJobId: "500000",
};

function writeConfiguration(
  dir: string,
  name: string,
  ports: readonly number[],
  { accounting, settings, partitions, programs }: ClusterOptions,
): void {
  for (const folder of ["ctld", "run", "log", "bin"]) mkdirSync(join(dir, folder));
  const own = accounting === "own";
  const all = {
    ClusterName: `herd${name}`,
    SlurmctldPort: `${ports[0]}`,
    StateSaveLocation: `${dir}/ctld`,
    SlurmdSpoolDir: `${dir}/spool.%n`,
    SlurmctldPidFile: `${dir}/run/slurmctld.pid`,
    SlurmdPidFile: `${dir}/run/slurmd.%n.pid`,
    SlurmctldLogFile: `${dir}/log/slurmctld`,
    SlurmdLogFile: `${dir}/log/slurmd.%n`,
    AccountingStorageType: own ? "accounting_storage/slurmdbd" : "accounting_storage/none",
    ...(own ? { AccountingStorageHost: "localhost", AccountingStoragePort: `${ports[1]}` } : {}),
    ...DEFAULTS,
    ...settings,
  };
  const node = (name: string, port: number) =>
    `NodeName=${name} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${port} CPUs=8 RealMemory=8000`;
  const list = partitions ?? ["main Nodes=ALL Default=YES MaxTime=60 State=UP"];
  const lines = [
    ...Object.entries(all).map(([key, value]) => `${key}=${value}`),
    node("n3", ports[2]!),
    node("n4", ports[3]!),
    ...list.map((one) => `PartitionName=${one}`),
  ];
  writeFileSync(join(dir, "slurm.conf"), `${lines.join("\n")}\n`);
  if (own) {
    const dbd = {
      AuthType: "auth/munge",
      DbdHost: "localhost",
      DbdPort: `${ports[1]}`,
      SlurmUser: "root",
      StorageType: "accounting_storage/mysql",
      StorageHost: "localhost",
      StorageUser: `herd${name}`,
      StoragePass: name,
      StorageLoc: `herd${name}`,
      LogFile: `${dir}/log/slurmdbd`,
      PidFile: `${dir}/run/slurmdbd.pid`,
    };
    const text = Object.entries(dbd).map(([key, value]) => `${key}=${value}\n`).join("");
    writeFileSync(join(dir, "slurmdbd.conf"), text, { mode: 0o600 });
  }
  for (const [program, text] of Object.entries(programs ?? {})) {
    writeFileSync(join(dir, "bin", program), text);
    chmodSync(join(dir, "bin", program), 0o755);
  }
}

/**
 * All daemons are children of one shell, which ends them, and whatever their jobs
 * left, when its input closes: so also when the test process is killed. A process
 * is ended only when its environment names this cluster's configuration, or when it
 * is a daemon of SLURM with a file of this cluster open.
 */
const KEEPER = `
dir=$1 name=$2 own=$3
export SLURM_CONF=$dir/slurm.conf
cd "$dir"
database() { mariadb -e "$1" >>log/mariadb 2>&1; }
if [ "$own" = yes ]; then
  database "create database herd$name; create user 'herd$name'@'localhost' identified by '$name'; grant all on herd$name.* to 'herd$name'@'localhost'"
fi
begin() {
  case $1 in
    slurmctld) slurmctld -D >>log/slurmctld.out 2>&1 & ;;
    slurmdbd) slurmdbd -D >>log/slurmdbd.out 2>&1 & ;;
    *) slurmd -D -N "$1" >>"log/$1.out" 2>&1 & ;;
  esac
  echo $! >"$1.pid"
}
while read -r daemon; do begin "$daemon"; done
for file in *.pid; do pids+=" $(cat "$file")"; done
kill -CONT $pids; kill $pids
for i in {1..40}; do kill -0 $pids || break; sleep 0.1; done
kill -KILL $pids
for round in 1 2; do
  for process in /proc/[0-9]*; do
    pid=\${process#/proc/}
    [ "$pid" = $$ ] && continue
    if grep -qzxF "SLURM_CONF=$dir/slurm.conf" "$process/environ" ||
      { grep -qaE '^(slurmstepd: |: slurmscriptd)' "$process/cmdline" &&
        [ -n "$(find "$process/fd" -lname "$dir/*" -print -quit)" ]; }; then kill -KILL "$pid"; fi
  done
done
if [ "$own" = yes ]; then database "drop database herd$name; drop user 'herd$name'@'localhost'"; fi
cd /
rm -rf "$dir"
`;

interface Keeper {
  process: ChildProcess;
  begin(daemon: Daemon): void;
}

function startKeeper(dir: string, name: string, own: boolean): Keeper {
  // A session of its own: Ctrl-C ends the tests, and their end ends the cluster in good order.
  const child = spawn("bash", ["-c", KEEPER, "keeper", dir, name, own ? "yes" : "no"], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  return {
    process: child,
    begin(daemon) {
      rmSync(join(dir, `${daemon}.pid`), { force: true });
      child.stdin!.write(`${daemon}\n`);
    },
  };
}

function handle(dir: string, options: ClusterOptions, keeper: Keeper): PrivateCluster {
  const env: Record<string, string> = { SLURM_CONF: join(dir, "slurm.conf") };
  if (options.programs !== undefined) env["PATH"] = `${join(dir, "bin")}:${process.env["PATH"]}`;
  const whole = () => ({ ...definedOf(process.env), SLURM_CONF: env["SLURM_CONF"]! });
  const pidOf = (daemon: Daemon) => Number(readFileSync(join(dir, `${daemon}.pid`), "utf8"));
  const ask = (...argv: string[]) => runProcess(argv, { env: whole(), timeoutMs: 60_000 });
  async function answers(daemon: Daemon): Promise<boolean> {
    switch (daemon) {
      case "slurmctld": {
        const nodes = await ask("sinfo", "-h", "-N", "-o", "%T");
        return nodes.ok && /^(idle|mixed|allocated|completing)/.test(nodes.stdout);
      }
      case "slurmdbd":
        return (await ask("sacctmgr", "-n", "show", "cluster")).ok;
      default:
        return true;
    }
  }
  return {
    env,
    dir,
    ask,
    async slurm(...argv) {
      const ended = await ask(...argv);
      if (!ended.ok) throw new Error(`${argv.join(" ")}: exit ${ended.exitCode}: ${ended.stderr}`);
      return ended.stdout;
    },
    freeze: (daemon) => void process.kill(pidOf(daemon), "SIGSTOP"),
    thaw: (daemon) => void process.kill(pidOf(daemon), "SIGCONT"),
    stop: (daemon) => end(pidOf(daemon), "SIGTERM"),
    kill: (daemon) => end(pidOf(daemon), "SIGKILL"),
    async start(daemon) {
      keeper.begin(daemon);
      await until(() => answers(daemon), `${daemon} to answer`);
    },
    processesOf: (rawJobId) => processesOf(dir, rawJobId),
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => keeper.process.once("close", resolve));
      if (keeper.process.exitCode !== null) return;
      keeper.process.stdin!.end();
      await ended;
    },
  };
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => value === undefined ? [] : [[name, value]]),
  );
}

async function end(pid: number, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  process.kill(pid, signal);
  await until(() => Promise.resolve(!isAlive(pid)), `process ${pid} to end by ${signal}`);
}

function isAlive(pid: number): boolean {
  try {
    // A zombie has been killed: its parent has only not looked yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function processesOf(dir: string, rawJobId: string): number[] {
  const found = execFileSync("bash", [
    "-c",
    `for process in /proc/[0-9]*; do
       if { grep -qzxF "SLURM_CONF=$1/slurm.conf" "$process/environ" &&
            grep -qzxF "SLURM_JOB_ID=$2" "$process/environ"; } ||
         { grep -qaF "slurmstepd: [$2." "$process/cmdline" &&
           [ -n "$(find "$process/fd" -lname "$1/*" -print -quit)" ]; }; then echo "\${process#/proc/}"; fi
     done`,
    "processes",
    dir,
    rawJobId,
  ], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return found.split("\n").filter((line) => line !== "").map(Number);
}

/** Waits for what takes a daemon's time; fails with what it waited for. */
export async function until(
  holds: () => Promise<boolean>,
  what: string,
  timeoutMs = 60_000,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!await holds()) {
    if (Date.now() > end) throw new Error(`Waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
