import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Home, makeHome } from "./daemon.ts";
import { makeSweep } from "./herd.ts";
import { removeTree } from "./remove-tree.ts";
import { generateKey, type Sshd, startSshd } from "./sshd.ts";
import { startTroubledProxy, type TroubledProxy } from "./troubled-proxy.ts";

export interface FarOptions {
  yaml: string;
  launcher: string;
  name: string;
  /** More lines of the server's config, and of the ssh config here. */
  sshd?: readonly string[];
  ssh?: readonly string[];
  /** Programs that stand before the host's own, by name. */
  programs?: Readonly<Record<string, string>>;
}

/** A laptop with a workspace, a login node with the real SLURM, and a line between them that can be troubled. */
export interface FarScene extends AsyncDisposable {
  /** The laptop's home; its ssh config knows the login node as `login`. */
  here: Home;
  /** The workspace on the laptop. */
  sweep: ReturnType<typeof makeSweep>;
  /** The home folder on the login node: its path has a space, its login scripts greet. */
  home: string;
  /** The workspace on the login node. */
  there: string;
  server: Sshd;
  proxy: TroubledProxy;
}

export async function openFarScene(options: FarOptions): Promise<FarScene> {
  const { yaml, launcher, name, ssh = [], programs = {} } = options;
  const here = makeHome({ NO_COLOR: "1", HERD_TEST_HOOKS: "1" });
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "herd-far-"));
  chmodSync(folder, 0o755);
  const home = join(folder, "the home");
  mkdirSync(join(home, "bin"), { recursive: true });
  for (const [program, text] of Object.entries(programs)) {
    writeFileSync(join(home, "bin", program), text, { mode: 0o755 });
  }
  const greeting = 'echo "Welcome to the cluster"; echo "Quota: 3 %" >&2\n';
  writeFileSync(join(home, ".bash_profile"), `${greeting}export PATH="$HOME/bin:$PATH"\n`);
  writeFileSync(join(home, ".bashrc"), greeting);
  const server = await startSshd({
    config: [`SetEnv "HOME=${home}"`, ...options.sshd ?? []],
  });
  const proxy = await startTroubledProxy(server.port);
  const own = join(here.env["HOME"]!, ".ssh");
  mkdirSync(own, { mode: 0o700 });
  generateKey(join(own, "id_ed25519"));
  server.authorize(join(own, "id_ed25519.pub"));
  writeFileSync(join(own, "known_hosts"), `login ${server.hostKey}\n`);
  const lines = ["HostName 127.0.0.1", `Port ${proxy.port}`, "HostKeyAlias login", ...ssh];
  writeFileSync(join(own, "config"), `Host login\n${lines.join("\n")}\n`, { mode: 0o600 });
  const sweep = makeSweep({ yaml, launcher }, "herd-laptop-");
  return {
    ...{ here, sweep, home, server, proxy, there: join(home, "herd", name) },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      sweep.remove();
      here.remove();
      removeTree(folder);
    },
  };
}

/** What jobs wrote, as text by path: the same here and there when nothing was lost. */
export function writtenBelow(root: string): Record<string, string> {
  const state = join(root, ".hyperherd");
  const found = execFileSync("find", ["events", "logs", "results", "-type", "f", "-print0"], {
    cwd: state,
    encoding: "utf8",
  });
  const paths = found.split("\0").filter((path) => path !== "" && !path.endsWith("/_signal"));
  return Object.fromEntries(
    paths.sort().map((path) => [path, readFileSync(join(state, path), "latin1")]),
  );
}

/** Jobs that SLURM's accounting knows under names that begin so: name by array id, a repetition being one more id. */
export function jobsNamed(prefix: string): Map<string, string> {
  const argv = ["-X", "-n", "-P", "-S", "now-1hours", "-o", "JobID,JobName"];
  const rows = execFileSync("sacct", argv, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  const jobs = new Map<string, string>();
  for (const row of rows.split("\n")) {
    const [id = "", name = ""] = row.split("|");
    if (name.startsWith(prefix)) jobs.set(id.split("_")[0]!, name);
  }
  return jobs;
}
