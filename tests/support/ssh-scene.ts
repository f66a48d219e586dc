import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createSystemClock } from "../../lib/base/clock.ts";
import { createSshHost, type SshParts } from "../../lib/ssh/create-ssh-host.ts";
import type { SshHost } from "../../lib/ssh/ssh-host.ts";
import { removeTree } from "./remove-tree.ts";
import { generateKey, type Sshd } from "./sshd.ts";

/** A home folder with `.ssh`, and hosts as they are seen from it. */
export interface SshScene extends AsyncDisposable {
  home: string;
  /** A file below `.ssh`. */
  path(name: string): string;
  /** A key pair below `.ssh`. */
  key(name: string, options?: Parameters<typeof generateKey>[1]): string;
  config(text: string): void;
  /** Writes the server's true key into known_hosts. */
  trust(server: Sshd): void;
  knownHosts(): string;
  host(name: string, parts?: Partial<SshParts>): SshHost;
  /** What people were told. */
  notices: string[];
}

export function createSshScene(): SshScene {
  const home = mkdtempSync(join(tmpdir(), "herd-ssh-home-"));
  mkdirSync(join(home, ".ssh"), { mode: 0o700 });
  const path = (name: string) => join(home, ".ssh", name);
  const hosts: SshHost[] = [];
  const notices: string[] = [];
  return {
    home,
    path,
    notices,
    key(name, options) {
      generateKey(path(name), options);
      return path(name);
    },
    config: (text) => writeFileSync(path("config"), text, { mode: 0o600 }),
    trust: ({ port, hostKey }) =>
      writeFileSync(path("known_hosts"), `[127.0.0.1]:${port} ${hostKey}\n`, { flag: "a" }),
    knownHosts: () => readFileSync(path("known_hosts"), "utf8"),
    host(name, parts = {}) {
      const host = createSshHost(name, {
        env: {},
        home,
        user: userInfo().username,
        clock: createSystemClock(),
        log: { write: () => {}, path: undefined },
        onNotice: (text) => void notices.push(text),
        configFiles: [path("config")],
        ...parts,
      });
      hosts.push(host);
      return host;
    },
    async [Symbol.asyncDispose]() {
      for (const host of hosts) await host.close();
      removeTree(home);
    },
  };
}
