import { homedir } from "node:os";
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import type { Finding } from "../base/finding.ts";
import type { Log } from "../base/log.ts";
import type { Asker } from "../ssh/asker.ts";
import { createSshHost } from "../ssh/create-ssh-host.ts";
import { hostNameText } from "../ssh/host-name.ts";
import { loginName } from "../ssh/login-name.ts";
import { resolveHost } from "../ssh/resolve-host.ts";
import type { SshFacts, SshHost } from "../ssh/ssh-host.ts";

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
  shell: string | undefined;
  home: string | undefined;
  system: string | undefined;
  /** Such as `slurm 22.05.8`; undefined without SLURM. */
  slurm: string | undefined;
}

/** Prints what it is asked, one line each; a missing SLURM is an empty line. */
const LOOK = 'printf "%s\\n" "$SHELL" "$HOME"; uname -sm; sbatch --version 2>/dev/null || echo';

/** Goes to a host step by step, and says how far it comes. */
export async function checkHost(name: string, parts: CheckHostParts): Promise<HostCheckup> {
  const { onFinding } = parts;
  const say = (mark: Finding["mark"], area: string, message: string, mend?: string) =>
    onFinding({ area, mark, message, ...(mend === undefined ? {} : { mend }) });
  const none: HostCheckup = {
    ok: false,
    facts: undefined,
    shell: undefined,
    home: undefined,
    system: undefined,
    slurm: undefined,
  };
  const home = parts.env["HOME"] || homedir();
  const ways = { env: parts.env, home, user: await loginName() };
  try {
    const { user, hostName, port, jumps } = resolveHost(name, ways);
    const via = jumps.length === 0 ? "" : `, by way of ${jumps.map(hostNameText).join(", ")}`;
    say("good", "Settings", `${user}@${hostName}, port ${port}${via}`);
    await using host = createSshHost(name, {
      ...parts,
      ...ways,
      onNotice: (text) => say("doubt", "Settings", text),
    });
    const facts = await host.connect(parts.signal);
    say("good", "Connection", `The server is ${facts.server}, its key ${facts.hostKey}`);
    say("good", "Connection", `Logged in by ${facts.method}`);
    return { ...none, facts, ...await lookAround(host, parts.signal, say) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say("bad", "Connection", error.message, error.hint);
    return none;
  }
}

async function lookAround(
  host: SshHost,
  signal: AbortSignal,
  say: (mark: Finding["mark"], area: string, message: string, mend?: string) => void,
): Promise<Omit<HostCheckup, "facts">> {
  const ended = await host.run(["sh", "-c", LOOK], { timeoutMs: 30_000, signal });
  const [shell, home, system, slurm] = ended.stdout.split("\n").map((line) => line || undefined);
  const unknown = { shell, home, system, slurm };
  if (!ended.ok) {
    say("bad", "Programs", ended.lost ?? ended.spawnError ?? "The host runs no program");
    return { ok: false, ...unknown };
  }
  say("good", "Programs", `${system}, shell ${shell}, home ${home}`);
  if (slurm === undefined) {
    say(
      "doubt",
      "Programs",
      "There is no sbatch in the PATH of a login without a terminal",
      "Set PATH in ~/.bashrc there, above its line that ends for shells without a terminal",
    );
  } else say("good", "Programs", slurm);
  try {
    await host.files.realPath(".");
    say("good", "Files", "SFTP works");
  } catch (error) {
    say("bad", "Files", (error as Error).message, (error as UserError).hint);
    return { ok: false, ...unknown };
  }
  return { ok: true, ...unknown };
}
