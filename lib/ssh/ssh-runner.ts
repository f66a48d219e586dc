import type { Runner } from "../base/process.ts";
import type { SshHost } from "./ssh-host.ts";

export interface SshRunnerParts {
  /** This machine's environment: what a caller merely hands on of it is not sent to the host. */
  environment: Readonly<Record<string, string | undefined>>;
  /** See SshPlace. */
  unsetPrefixes?: readonly string[];
}

/** The host as the function that the slurm adapter takes. */
export function createSshRunner(
  host: Pick<SshHost, "run">,
  { environment, unsetPrefixes = [] }: SshRunnerParts,
): Runner {
  return (argv, { env = {}, ...options } = {}) => {
    // What is taken off there first has to be said again.
    const changed = Object.entries(env).filter(([name, value]) =>
      environment[name] !== value || unsetPrefixes.some((prefix) => name.startsWith(prefix))
    );
    return host.run(argv, { ...options, env: Object.fromEntries(changed), unsetPrefixes });
  };
}
