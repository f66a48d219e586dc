import { currentBuild } from "../base/build.ts";
import { deploy, type Deployed, type DeployParts } from "../deploy/deploy.ts";
import { readDestination } from "../deploy/destination.ts";
import { asLogin } from "../deploy/login-shell.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { createHosts } from "./hosts.ts";
import type { HostsParts } from "./hosts.ts";

export { megabytes } from "../deploy/upload.ts";
export { readDestination } from "../deploy/destination.ts";

export interface DeployToParts
  extends HostsParts, Omit<DeployParts, "host" | "path" | "build" | "clock"> {
  /** `HOST[:PATH]`. */
  destination: string;
  /** Whether the daemon there that runs this path restarts on the new version. */
  restarts: boolean;
}

export interface DeployedTo extends Deployed {
  /** What became of the daemon there; undefined where none runs, or nothing has changed. */
  daemon: DaemonThere | undefined;
  /** What `herd doctor --json` says there; undefined where it could not be asked. */
  doctor: DoctorThere | undefined;
}

/** The daemon on the host after a deploy. */
export interface DaemonThere {
  state: "restarted" | "left" | "failed";
  pid: number;
  /** Why it was left or failed. */
  why: string | undefined;
}

export interface DoctorThere {
  ok: boolean;
  checks: readonly { mark: string; message: string; mend: string | null }[];
}

const DOCTOR_MS = 120_000;
const RESTART_MS = 120_000;
const ASK_MS = 30_000;

/** Deploys to one host, restarts the daemon there, and asks `herd doctor` what it finds. */
export async function deployTo(parts: DeployToParts): Promise<DeployedTo> {
  await using hosts = createHosts(parts);
  const { host: name, path } = readDestination(parts.destination);
  const host = hosts.reach(name);
  const deployed = await deploy({ ...parts, host, path, build: currentBuild() });
  const { outcome } = deployed;
  if (outcome !== "installed" && outcome !== "rolled-back" && outcome !== "same") {
    return { ...deployed, daemon: undefined, doctor: undefined };
  }
  const daemon = await tellDaemon(host, deployed, parts);
  parts.say("Asking herd doctor there");
  return { ...deployed, daemon, doctor: await askDoctor(host, deployed.path, parts.signal) };
}

/** Also where nothing was put there now: an earlier deploy may have been cut before this. */
async function tellDaemon(
  host: SshHost,
  { path, says, outcome }: Deployed,
  { restarts, say, signal }: DeployToParts,
): Promise<DaemonThere | undefined> {
  const running = await document<
    { pid: number; executable?: string; version?: string; commit?: string }
  >(host, [path, "api", "daemon"], ASK_MS, signal);
  if (running === undefined || typeof running.pid !== "number") return undefined;
  const { pid, executable, version, commit } = running;
  const runs = `herd ${version} (commit ${commit},`;
  if (outcome === "same" && says?.startsWith(runs) === true) return undefined;
  const left = (why: string): DaemonThere => ({ state: "left", pid, why });
  if (executable === undefined) {
    return left("it is of a version that cannot restart: herd monitor --stop there, then start it");
  }
  const real = await host.files.realPath(path);
  if (executable !== path && executable !== real) return left(`it runs ${executable}`);
  if (!restarts) return left("as you wished; herd monitor --restart there does it");
  say(`Restarting the daemon there (pid ${pid})`);
  const said = await document<{ restarted?: boolean; error?: { message?: string } }>(
    host,
    [path, "monitor", "--restart", "--json"],
    RESTART_MS,
    signal,
  );
  if (said?.restarted === true) return { state: "restarted", pid, why: undefined };
  return { state: "failed", pid, why: said?.error?.message ?? "it did not answer" };
}

async function askDoctor(
  host: SshHost,
  path: string,
  signal: AbortSignal,
): Promise<DoctorThere | undefined> {
  const said = await document<DoctorThere>(host, [path, "doctor", "--json"], DOCTOR_MS, signal);
  return Array.isArray(said?.checks) ? { ok: said.ok, checks: said.checks } : undefined;
}

/** What a command there prints as JSON, whatever its exit code; undefined when it is none. */
async function document<T>(
  host: SshHost,
  argv: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<T | undefined> {
  const { stdout } = await host.run(asLogin(argv), { timeoutMs, signal });
  signal.throwIfAborted();
  try {
    return JSON.parse(stdout) as T;
  } catch {
    return undefined;
  }
}
