import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Home, makeHome } from "./daemon.ts";
import { HERD } from "./herd.ts";
import type { LossyLine } from "./lossy-line.ts";
import { removeTree } from "./remove-tree.ts";
import { generateKey, type Sshd, startSshd } from "./sshd.ts";
import { startTroubledProxy, type TroubledProxy } from "./troubled-proxy.ts";

/** Two homes on one machine, with ssh and a line that can be cut between them. */
export interface ReachScene extends AsyncDisposable {
  /** Where commands are typed; its ssh config knows the other one as `login`. */
  here: Home;
  /** The home folder at the other end, with herd in `.local/bin`. */
  there: string;
  /** Environment of a process that is at the other end. */
  thereEnv: Record<string, string>;
  server: Sshd;
  proxy: TroubledProxy;
  /** A file below `.ssh` here. */
  ssh(name: string): string;
  knowHost(key: string): void;
}

/** Beside the true herd it has a few ways to end that no command of herd's has. */
const HERD_THERE = `#!/bin/bash
case "$1" in
  big) seq 10000000 | head -c 52428800 ;;
  code) exit "$2" ;;
  words) shift; printf '%s\\0' "$@" ;;
  read) wc -c ;;
  keep) exec cat > "$HOME/kept" ;;
  kept) exec cat "$HOME/kept" ;;
  both) echo '{"out": 1}'; echo "not JSON" >&2; exit 3 ;;
  wait) echo $$ > "$HOME/pid"; echo waiting; trap 'exit 130' INT; for ((;;)); do sleep 0.1; done ;;
  size) trap 'stty size' WINCH; trap 'exit 130' INT; stty size; for ((i = 0; i < 300; i++)); do sleep 0.1; done ;;
  killed) kill -TERM $$ ;;
  *) exec "$HERD_TRUE" "$@" ;;
esac
`;

export interface ReachOptions {
  /** The login shell there; what it reads at its start prints words of its own. */
  shell?: string;
  /** More lines of the server's config. */
  config?: readonly string[];
  /** The server is behind this line, and what is typed here is typed at its near end. */
  line?: LossyLine;
}

/** What login shells read, each with a word that is not the program's. */
const NOISY = [".profile", ".bash_profile", ".zprofile", ".login", ".tcshrc"];

export async function openReachScene(
  { shell, config = [], line }: ReachOptions = {},
): Promise<ReachScene> {
  const here = makeHome({ NO_COLOR: "1", HERD_TEST_HOOKS: "1" });
  const there = mkdtempSync(join(tmpdir(), "herd-there-"));
  chmodSync(there, 0o700);
  mkdirSync(join(there, ".local/bin"), { recursive: true });
  writeFileSync(join(there, ".local/bin/herd"), HERD_THERE, { mode: 0o755 });
  const own = {
    ...{ HOME: there, XDG_STATE_HOME: join(there, "state"), XDG_RUNTIME_DIR: there },
    ...(shell === undefined ? {} : { SHELL: shell }),
  };
  if (shell !== undefined) {
    for (const name of NOISY) writeFileSync(join(there, name), "echo welcome\n");
    mkdirSync(join(there, ".config/fish"), { recursive: true });
    writeFileSync(join(there, ".config/fish/config.fish"), "echo welcome\n");
  }
  const server = await startSshd({
    ...(shell === undefined ? {} : { shell }),
    ...(line === undefined ? {} : { within: line.far, address: line.address }),
    config: [
      ...config,
      `SetEnv ${
        Object.entries({ ...own, HERD_TRUE: HERD, HERD_TEST_HOOKS: "1" })
          .map(([name, value]) => `${name}=${value}`).join(" ")
      }`,
    ],
  });
  const proxy = await startTroubledProxy(server.port);
  const ssh = (name: string) => join(here.env["HOME"]!, ".ssh", name);
  mkdirSync(ssh(""), { mode: 0o700 });
  generateKey(ssh("id_ed25519"));
  server.authorize(`${ssh("id_ed25519")}.pub`);
  const knowHost = (key: string) => writeFileSync(ssh("known_hosts"), `login ${key}\n`);
  knowHost(server.hostKey);
  writeFileSync(
    ssh("config"),
    `Host login\n  HostName ${line?.address ?? "127.0.0.1"}\n` +
      `  Port ${line === undefined ? proxy.port : server.port}\n  HostKeyAlias login\n`,
    { mode: 0o600 },
  );
  return {
    ...{ here, there, server, proxy, ssh, knowHost },
    thereEnv: { ...here.env, ...own },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      here.remove();
      removeTree(there);
    },
  };
}
