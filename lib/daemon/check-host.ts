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
import { resolveHost } from "../ssh/resolve-host.ts";
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

/** What is at the other end; undefined where the way there failed. */
export interface HostCheckup {
  ok: boolean;
  facts: SshFacts | undefined;
  look: HostLook | undefined;
}

/** A login shell that loads modules may take long. Milliseconds. */
const TIMEOUT_MS = 60_000;

/** Goes to a host step by step, and says how far it comes. */
export async function checkHost(name: string, parts: CheckHostParts): Promise<HostCheckup> {
  const say = (finding: Finding) => parts.onFinding(finding);
  const area = "Connection";
  const home = parts.env["HOME"] || homedir();
  const ways = { env: parts.env, home, user: userName() };
  let facts: SshFacts | undefined;
  try {
    const { user, hostName, port, jumps } = resolveHost(name, ways);
    const via = jumps.length === 0 ? "" : `, by way of ${jumps.map(hostNameText).join(", ")}`;
    say({ area, mark: "good", message: `Settings: ${user}@${hostName}, port ${port}${via}` });
    await using host = createSshHost(name, {
      ...parts,
      ...ways,
      onNotice: (message) => say({ area, mark: "doubt", message }),
    });
    facts = await host.connect(parts.signal);
    const { server, hostKey, method } = facts;
    say({ area, mark: "good", message: `The server is ${server}, its key ${hostKey}` });
    say({ area, mark: "good", message: `Logged in by ${method}` });
    const look = await lookAround(host, parts);
    hostLookFindings(look, name).forEach(say);
    await host.files.realPath(".");
    say({ area: "Files", mark: "good", message: "SFTP works" });
    return { ok: true, facts, look };
  } catch (error) {
    parts.signal.throwIfAborted();
    const known = error instanceof UserError || (error as Error).name === "RemoteFileError";
    if (!known) throw error;
    const { message, hint } = error as UserError;
    say({ area, mark: "bad", message, ...(hint === undefined ? {} : { mend: hint }) });
    return { ok: false, facts, look: undefined };
  }
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
