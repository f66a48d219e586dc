import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "./remove-tree.ts";

const SSHD = "/usr/sbin/sshd";

/** Why tests against a real OpenSSH server cannot run here, or false when they can. */
export const withoutSshd: string | false = existsSync(SSHD) && existsSync("/usr/bin/ssh-keygen")
  ? false
  : "there is no OpenSSH server here (apt-get install openssh-server)";

export interface SshdOptions {
  /** More lines of its config, before all others. */
  config?: readonly string[];
  /** The login shell, whatever /etc/passwd says. */
  shell?: string;
  /** Of an earlier one: its host keys. */
  keysOf?: Sshd;
  port?: number;
  /** More variables of the server's own. */
  env?: Record<string, string>;
  /** Words before its command, such as of a namespace that it is to run in. */
  within?: readonly string[];
  /** Where it listens; 127.0.0.1 by default. */
  address?: string;
}

/** A real OpenSSH server on 127.0.0.1 with files of its own; the user is who runs the test. */
export interface Sshd extends AsyncDisposable {
  port: number;
  /** Holds `host_ed25519`, `host_rsa`, `authorized_keys`, `log`. */
  folder: string;
  /** Such as `ssh-ed25519 AAAA…`. */
  hostKey: string;
  authorize(publicKeyFile: string): void;
  /** What it has logged. */
  log(): string;
  /** Ends the server's processes of all connections, without a good-bye; what runs in them goes on. */
  cut(): void;
  stop(): Promise<void>;
}

export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), "herd-sshd-"));
  const keys = options.keysOf?.folder ?? folder;
  if (options.keysOf === undefined) {
    generateKey(join(folder, "host_ed25519"));
    generateKey(join(folder, "host_rsa"), { type: "rsa" });
  }
  // The server changes to this folder before it knows who comes.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const port = options.port ?? await freePort();
  const lines = [
    ...(options.config ?? []),
    `Port ${port}`,
    `ListenAddress ${options.address ?? "127.0.0.1"}`,
    `HostKey ${keys}/host_ed25519`,
    `HostKey ${keys}/host_rsa`,
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    `PidFile ${folder}/pid`,
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "LogLevel VERBOSE",
    "MaxStartups 100",
    ...(options.shell === undefined
      ? ["Subsystem sftp internal-sftp"]
      : [`ForceCommand exec ${options.shell} -c "$SSH_ORIGINAL_COMMAND"`]),
  ];
  writeFileSync(join(folder, "config"), `${lines.join("\n")}\n`);
  writeFileSync(join(folder, "authorized_keys"), "", { mode: 0o600 });
  const words = [SSHD, "-D", "-f", join(folder, "config"), "-E", join(folder, "log")];
  const [program, ...more] = [...options.within ?? [], ...words];
  const child = spawn(program!, more, {
    env: { ...process.env, ...options.env },
    stdio: "ignore",
  });
  const gone = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const log = () => quietly(join(folder, "log"));
  await listening(port, () => child.exitCode === null, log);
  const cut = () => {
    for (const pid of below(child.pid!)) if (nameOf(pid) === "sshd") end(pid);
  };
  const stop = async () => {
    const left = below(child.pid!);
    end(child.pid!);
    for (const pid of left) end(pid);
    await gone;
  };
  return {
    port,
    folder,
    hostKey: readFileSync(join(keys, "host_ed25519.pub"), "utf8").trim(),
    authorize(file) {
      writeFileSync(join(folder, "authorized_keys"), readFileSync(file, "utf8"), { flag: "a" });
    },
    log,
    cut,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      removeTree(folder);
    },
  };
}

export function generateKey(
  file: string,
  { type = "ed25519", passphrase = "", format }: {
    type?: string;
    passphrase?: string;
    format?: "PEM" | "PKCS8";
  } = {},
): void {
  execFileSync("ssh-keygen", [
    ...["-q", "-t", type, "-N", passphrase, "-C", "test", "-f", file],
    ...(type === "rsa" ? ["-b", "2048"] : []),
    ...(format === undefined ? [] : ["-m", format]),
  ], { stdio: "ignore" });
  chmodSync(file, 0o600);
}

/** All that a process has started and what that has started. */
function below(pid: number): number[] {
  const children = quietly(`/proc/${pid}/task/${pid}/children`).split(" ").filter((one) =>
    one !== ""
  );
  return children.flatMap((one) => [Number(one), ...below(Number(one))]);
}

function nameOf(pid: number): string {
  return quietly(`/proc/${pid}/comm`).trim();
}

function quietly(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number, alive: () => boolean, log: () => string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline && alive()) {
    if (log().includes(`Server listening on`) && log().includes(`port ${port}`)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`sshd does not listen: ${log()}`);
}
