import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Asker } from "./asker.ts";
import type { SshHost } from "./ssh-host.ts";

export interface SshParts {
  /** For `SSH_AUTH_SOCK` and the like. */
  env: Readonly<Record<string, string | undefined>>;
  /** Folder above `.ssh`. */
  home: string;
  /** The user here, who is also the one there where nothing else is said. */
  user: string;
  clock: Clock;
  log: Log;
  /** Undefined when nobody can be asked. */
  asker?: Asker;
  /** By default `HOME/.ssh/config` and `/etc/ssh/ssh_config`. */
  configFiles?: readonly string[];
  /** Between 0 and 1, for the jitter of back-off. */
  random?: () => number;
}

/** Opens nothing yet. `name` is an alias of the ssh config, a host name, or `user@host:port`. */
export function createSshHost(name: string, parts: SshParts): SshHost {
  throw new Error(`Not built yet: ${name} ${parts.user}`);
}
