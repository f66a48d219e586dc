import type { Runner } from "../base/process.ts";
import type { SshHost } from "./ssh-host.ts";

/** A host that is away holds nobody up who waits for the workspace: it is asked again at the next look. */
const PATIENCE_MS = 5_000;

/**
 * The host as the function that the slurm adapter takes: as here, `env` is all that a program sees.
 * `environment`: what a program has by itself that ssh starts there; of that only the difference is sent.
 */
export function createSshRunner(
  host: Pick<SshHost, "run">,
  environment: Readonly<Record<string, string | undefined>>,
): Runner {
  return (argv, { env, ...options } = {}) => {
    const patient = { patienceMs: PATIENCE_MS, ...options };
    if (env === undefined) return host.run(argv, patient);
    const given = Object.entries(env);
    const changed = given.filter(([name, value]) => isName(name) && environment[name] !== value);
    // What bash exports as a function, such as `module`, other shells can neither set nor hand on.
    const functions = given.filter(([name]) => !isName(name)).map((pair) => pair.join("="));
    return host.run(functions.length === 0 ? argv : ["env", ...functions, ...argv], {
      ...patient,
      env: Object.fromEntries(changed),
      unset: Object.keys(environment).filter((name) => isName(name) && !Object.hasOwn(env, name)),
    });
  };
}

function isName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}
