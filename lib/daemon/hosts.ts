import { homedir } from "node:os";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { userName } from "../base/user-name.ts";
import type { Asker } from "../ssh/asker.ts";
import { createSshHost } from "../ssh/create-ssh-host.ts";
import { enterHost } from "../ssh/enter-host.ts";
import type { SshHost } from "../ssh/ssh-host.ts";

export interface HostsParts {
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  /** Undefined where nobody can be asked. */
  asker?: Asker | undefined;
  /** The same, where each host has its own. */
  askerOf?: ((name: string) => Asker) | undefined;
}

/** The computers that this process reaches: one connection to each, whoever needs it. */
export interface Hosts extends AsyncDisposable {
  reach(name: string): SshHost;
  /** Connects while a person may be asked. What may be over soon is a SchedulerError `unreachable`. */
  enter(name: string, signal: AbortSignal): Promise<SshHost>;
  all(): readonly SshHost[];
}

export function createHosts({ env, clock, log, ...parts }: HostsParts): Hosts {
  const hosts = new Map<string, SshHost>();
  function reach(name: string): SshHost {
    const known = hosts.get(name);
    if (known !== undefined) return known;
    const asker = parts.askerOf?.(name) ?? parts.asker;
    const host = createSshHost(name, {
      env,
      home: env["HOME"] || homedir(),
      user: userName(),
      clock,
      log,
      ...(asker === undefined ? {} : { asker }),
    });
    hosts.set(name, host);
    return host;
  }

  return {
    reach,
    async enter(name, signal) {
      const host = reach(name);
      await enterHost(host, signal);
      return host;
    },
    all: () => [...hosts.values()],
    async [Symbol.asyncDispose]() {
      await Promise.all([...hosts.values()].map((host) => host[Symbol.asyncDispose]()));
    },
  };
}
