import type { Runner } from "../../base/process.ts";

/** What SLURM's own programs say of the site, for `herd doctor`. Undefined: not learnt. */
export interface SiteFacts {
  version: string | undefined;
  controller: { up: boolean; detail: string };
  /** Of `scontrol show config`. */
  config: ReadonlyMap<string, string>;
  accounting: { answers: boolean; detail: string; durationMs: number };
  qos: readonly QosLimits[];
}

/** A quality of service; empty texts are no limit. */
export interface QosLimits {
  name: string;
  maxWall: string;
  maxJobs: string;
  maxSubmit: string;
  maxResources: string;
}

/** Beyond the 10 s after which SLURM's programs give up by themselves. */
const TIMEOUT_MS = 25_000;

/** Asks each program once. With the controller down only those that do without it are asked. */
export async function askSiteFacts(
  { run, environment }: {
    run: Runner;
    environment: Readonly<Record<string, string | undefined>>;
  },
): Promise<SiteFacts> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined) env[name] = value;
  }
  const ask = (...argv: string[]) => run(argv, { env, timeoutMs: TIMEOUT_MS });
  const [version, ping, sacct, qos] = await Promise.all([
    ask("sbatch", "--version"),
    ask("scontrol", "ping"),
    ask("sacct", "-X", "-n", "-P", "-S", "now-1hours", "-o", "JobID"),
    ask(
      "sacctmgr",
      "-n",
      "-P",
      "show",
      "qos",
      "format=Name,MaxWall,MaxJobsPU,MaxSubmitPU,MaxTRESPU",
    ),
  ]);
  const controller = parsePing(ping.stdout, ping.stderr, ping.spawnError);
  const config = controller.up ? await ask("scontrol", "show", "config") : undefined;
  return {
    version: /(\d+\.\d+(?:\.\S+)?)/.exec(version.stdout)?.[1],
    controller,
    config: parseConfig(config?.stdout ?? ""),
    accounting: {
      answers: sacct.ok,
      detail: sacct.spawnError ?? lastLine(sacct.stderr),
      durationMs: sacct.durationMs,
    },
    qos: qos.ok ? parseQos(qos.stdout) : [],
  };
}

/** `Slurmctld(primary) at host is UP`, one line a controller. One that is up is enough. */
export function parsePing(
  stdout: string,
  stderr: string,
  spawnError: string | undefined,
): { up: boolean; detail: string } {
  const lines = stdout.split("\n").filter((line) => /\bis (UP|DOWN)\b/.test(line));
  const up = lines.find((line) => /\bis UP\b/.test(line));
  return { up: up !== undefined, detail: up ?? lines[0] ?? spawnError ?? lastLine(stderr) };
}

/** `Name = value` lines of `scontrol show config`. */
export function parseConfig(text: string): Map<string, string> {
  const config = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^(\w+)\s*= ?(.*)$/.exec(line) ?? [];
    if (name !== undefined) config.set(name, value!.trim());
  }
  return config;
}

export function parseQos(text: string): QosLimits[] {
  return text.split("\n").filter((line) => line.trim() !== "").map((line) => {
    const [name = "", maxWall = "", maxJobs = "", maxSubmit = "", maxResources = ""] = line.split(
      "|",
    );
    return { name, maxWall, maxJobs, maxSubmit, maxResources };
  });
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
