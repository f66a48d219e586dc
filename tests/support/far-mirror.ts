import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createSystemClock } from "../../lib/base/clock.ts";
import { createMirror } from "../../lib/mirror/create-mirror.ts";
import type { Mirror } from "../../lib/mirror/mirror.ts";
import type { FilesWish } from "../../lib/mirror/choose-files.ts";
import { workspacePaths } from "../../lib/store/paths.ts";
import type { SshHost } from "../../lib/ssh/ssh-host.ts";
import { openSshdScene, type SshdScene, troubled } from "./sshd-scene.ts";
import type { SshdOptions } from "./sshd.ts";
import type { TroubledProxy } from "./troubled-proxy.ts";

export interface MirrorOptions {
  /** The workspace here; by default the scene's. */
  here?: string;
  /** The folder there; by default the scene's. */
  there?: string;
  adopts?: boolean;
  isLive?: boolean;
  patterns?: readonly string[];
  /** Throws as a broken YAML does. */
  wish?: () => FilesWish;
  /** How much this machine's clock says more than the true one. Milliseconds. */
  aheadMs?: number;
  host?: SshHost;
}

/** A workspace here, a folder there, a real server between them. */
export interface MirrorScene {
  ssh: SshdScene;
  here: string;
  there: string;
  /** What was told as wrong, in order. */
  warnings: string[];
  mirror(more?: MirrorOptions): Mirror;
  /** By way of a line that can be troubled. */
  troubled(config?: string): Promise<{ proxy: TroubledProxy; host: SshHost }>;
  write(path: string, text: string | Uint8Array): void;
  read(path: string): string;
  writeThere(path: string, text: string | Uint8Array): void;
  readThere(path: string): string;
}

export async function mirrorScene(
  act: (scene: MirrorScene) => Promise<void>,
  options: SshdOptions = {},
): Promise<void> {
  await using ssh = await openSshdScene(options);
  const here = join(ssh.home, "my sweep");
  const there = join(ssh.home, "far 'away' $HOME");
  const warnings: string[] = [];
  const write = (path: string, text: string | Uint8Array) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  write(join(here, "hyperherd.yaml"), "name: test\n");
  write(join(here, "run.sh"), "echo hello\n");
  chmodSync(join(here, "run.sh"), 0o750);
  const mirrors: Mirror[] = [];
  const proxies: TroubledProxy[] = [];
  try {
    await act({
      ...{ ssh, here, there, warnings },
      mirror(more = {}) {
        const { here: root = here, adopts = false, patterns = ["src"], aheadMs = 0 } = more;
        const clock = createSystemClock();
        const wish = () => ({
          needed: ["hyperherd.yaml", "run.sh"],
          patterns: patterns.filter((one) => existsSync(join(root, one)) || one.includes("*")),
        });
        const made = createMirror({
          host: more.host ?? ssh.here(),
          here: workspacePaths(root),
          pathsAt: (other) => workspacePaths(other),
          folder: () => more.there ?? there,
          wish: more.wish ?? wish,
          adopts,
          isWished: () => false,
          user: "ana",
          isLive: () => more.isLive ?? false,
          inode: () => `${statSync(join(root, ".hyperherd")).ino}`,
          alone: (_, alone) => alone(),
          clock: { ...clock, now: () => clock.now() + aheadMs },
          log: (level, message) => level === "warn" ? void warnings.push(message) : undefined,
        });
        mirrors.push(made);
        return made;
      },
      async troubled(config) {
        const made = await troubled(ssh, config);
        proxies.push(made.proxy);
        return made;
      },
      write: (path, text) => write(join(here, path), text),
      read: (path) => readFileSync(join(here, path), "utf8"),
      writeThere: (path, text) => write(join(there, path), text),
      readThere: (path) => readFileSync(join(there, path), "utf8"),
    });
  } finally {
    for (const proxy of proxies) proxy.thaw();
    for (const one of mirrors) await one[Symbol.asyncDispose]();
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  }
}
