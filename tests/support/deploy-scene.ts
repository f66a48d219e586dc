import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { HERD, herd } from "./herd.ts";
import type { Said } from "./herd.ts";
import { removeTree } from "./remove-tree.ts";
import { openSshdScene } from "./sshd-scene.ts";
import type { SshdScene } from "./sshd-scene.ts";

/** A computer of its own behind a real sshd: a plain folder is its user's home. */
export interface DeployScene extends AsyncDisposable {
  ssh: SshdScene;
  /** The home folder there. */
  there: string;
  /** As `herd deploy` names the host. */
  host: string;
  /** Of commands here; HOME has the key and the known host. */
  env: Record<string, string>;
  /** What programs of that computer have in their environment. */
  thereEnv: Record<string, string>;
  run(...words: string[]): Promise<Said>;
}

export interface DeployOptions {
  /** The PATH of programs there. */
  path?: string;
  /** A file system of that computer alone, in memory; `options` as for `mount -o`. */
  mount?: { at: string; options: string };
}

/** Why no computer can have mounts of its own here, or false. */
export function withoutMounts(): string | false {
  return spawnSync("unshare", ["--mount", "true"]).status === 0
    ? false
    : "a mount namespace is not permitted here (it takes root)";
}

export async function openDeployScene(
  { path = process.env["PATH"]!, mount }: DeployOptions = {},
): Promise<DeployScene> {
  const there = mkdtempSync(join(tmpdir(), "herd-there-"));
  if (mount !== undefined) mkdirSync(join(there, mount.at), { recursive: true });
  mkdirSync(join(there, "run"), { mode: 0o700 });
  const thereEnv = {
    HOME: there,
    PATH: path,
    SHELL: "/bin/sh",
    XDG_STATE_HOME: join(there, "state"),
    XDG_RUNTIME_DIR: join(there, "run"),
    HERD_TEST_HOOKS: "1",
  };
  const words = Object.entries(thereEnv).map(([name, value]) => `"${name}=${value}"`);
  const ssh = await openSshdScene({
    config: [`SetEnv ${words.join(" ")}`],
    ...(mount === undefined ? {} : { within: mounted(join(there, mount.at), mount.options) }),
  });
  const env = {
    USER: userInfo().username,
    HOME: ssh.home,
    XDG_STATE_HOME: join(ssh.home, "state"),
    XDG_RUNTIME_DIR: ssh.home,
  };
  return {
    ssh,
    there,
    host: `127.0.0.1:${ssh.server.port}`,
    env,
    thereEnv,
    run: (...words) => herd(words, { env }),
    async [Symbol.asyncDispose]() {
      await ssh[Symbol.asyncDispose]();
      removeTree(there);
    },
  };
}

/** Words before a command that sees a file system of its own in that folder; nobody else does. */
function mounted(folder: string, options: string): string[] {
  const script = 'mount -t tmpfs -o "$2" tmpfs "$1"; shift 2; exec "$@"';
  return ["unshare", "--mount", "sh", "-ec", script, "sh", folder, options];
}

/** The same program of another commit: only that word differs. */
export async function otherBuild(file: string, commit: string): Promise<string> {
  const { commit: own } = JSON.parse((await herd(["version", "--json"])).stdout);
  const bytes = readFileSync(HERD);
  const word = commit.padEnd(own.length, "-");
  for (let at = bytes.indexOf(own); at >= 0; at = bytes.indexOf(own, at)) bytes.write(word, at);
  writeFileSync(file, bytes, { mode: 0o755 });
  return word;
}

/** A folder with some programs of this machine and nothing else, to be a PATH. */
export function fewPrograms(folder: string, names: readonly string[]): string {
  mkdirSync(folder);
  for (const name of names) {
    const found = (process.env["PATH"] ?? "").split(":").map((one) => join(one, name))
      .find((path) => existsSync(path));
    if (found !== undefined) symlinkSync(found, join(folder, name));
  }
  return folder;
}
