import { homedir } from "node:os";
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import type { Finding } from "../base/finding.ts";
import type { Log } from "../base/log.ts";
import { userName } from "../base/user-name.ts";
import { askHost } from "../mirror/host-facts.ts";
import type { Asker } from "../ssh/asker.ts";
import { createSshHost } from "../ssh/create-ssh-host.ts";
import { hostNameText } from "../ssh/host-name.ts";
import { RemoteFileError } from "../ssh/remote-files.ts";
import { resolveHost } from "../ssh/resolve-host.ts";
import { SshError } from "../ssh/ssh-error.ts";
import type { SshFacts, SshHost } from "../ssh/ssh-host.ts";
import { type HostLook, hostLookFindings, LOOK, readLook } from "./host-look.ts";
import { herdThere } from "./run-there.ts";

export interface CheckHostParts {
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  asker: Asker | undefined;
  signal: AbortSignal;
  /** Each step as it is done. */
  onFinding(finding: Finding): void;
}

/** What is at the other end; undefined where that could not be found out. */
export interface HostCheckup {
  ok: boolean;
  facts: SshFacts | undefined;
  look: HostLook | undefined;
}

/** A login shell that loads modules may take long. Milliseconds. */
const TIMEOUT_MS = 60_000;

/** Goes to a host step by step, and says how far it comes; what does not build on a step goes on without it. */
export async function checkHost(name: string, parts: CheckHostParts): Promise<HostCheckup> {
  const { signal } = parts;
  const say = (finding: Finding) => parts.onFinding(finding);
  const home = parts.env["HOME"] || homedir();
  const ways = { env: parts.env, home, user: userName() };
  const connection = "Connection";

  /** What it gives; undefined where it failed, which is said. */
  async function step<T>(area: string, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      const known = error instanceof UserError || error instanceof RemoteFileError;
      if (!known) throw error;
      const { message, hint } = error as UserError;
      const before = error instanceof SshError ? passedBefore(error) : undefined;
      if (before !== undefined) say({ area, mark: "good", message: before });
      say({ area, mark: "bad", message, ...(hint === undefined ? {} : { mend: hint }) });
      return undefined;
    }
  }

  const route = await step(connection, () => resolveHost(name, ways));
  if (route === undefined) return { ok: false, facts: undefined, look: undefined };
  const { user, hostName, port, jumps } = route;
  const via = jumps.length === 0 ? "" : `, by way of ${jumps.map(hostNameText).join(", ")}`;
  const settings = `Settings: ${user}@${hostName}, port ${port}${via}`;
  say({ area: connection, mark: "good", message: settings });
  await using host = createSshHost(name, {
    ...parts,
    ...ways,
    onNotice: (message) => say({ area: connection, mark: "doubt", message }),
  });
  const facts = await step(connection, () => host.connect(signal));
  if (facts === undefined) return { ok: false, facts, look: undefined };
  const { server, hostKey, method } = facts;
  say({ area: connection, mark: "good", message: `The server is ${server}, its key ${hostKey}` });
  say({ area: connection, mark: "good", message: `Logged in by ${method}` });
  const look = await step("Programs", () => lookAround(host, parts));
  if (look !== undefined) hostLookFindings(look, name).forEach(say);
  const files = await step("Files", () => host.files.realPath("."));
  if (files !== undefined) say({ area: "Files", mark: "good", message: "SFTP works" });
  return { ok: look !== undefined && files !== undefined, facts, look };
}

/** What is known to be good where a login failed. */
function passedBefore({ step, host }: SshError): string | undefined {
  if (step === "host-key") return `An ssh server answers at "${host}"`;
  if (step === "authentication") return `"${host}" answers, and its key is the one that is known`;
  if (step === "jump") return `Logged in at the jump host "${host}"`;
  return undefined;
}

async function lookAround(
  host: SshHost,
  { clock, signal }: Pick<CheckHostParts, "clock" | "signal">,
): Promise<HostLook> {
  const { home, login } = await askHost(host, signal);
  const options = { timeoutMs: TIMEOUT_MS, signal };
  const before = clock.now();
  const looked = await host.run(["sh", "-c", LOOK], {
    ...options,
    // As herd's calls of SLURM's programs see it.
    env: { PATH: login["PATH"] ?? "" },
  });
  const middle = (before + clock.now()) / 2;
  if (!looked.ok) {
    throw new UserError(looked.lost ?? looked.spawnError ?? "The host runs no program");
  }
  const herd = await host.run(herdThere(["--version"]), options);
  return readLook(looked.stdout, {
    home,
    middle,
    herd: herd.ok ? herd.stdout.trim().split("\n").at(-1) : undefined,
  });
}
