import type { Environment } from "../agent/credentials.ts";
import type { Clock } from "../base/clock.ts";
import type { TokenPrice } from "../sweep/config.ts";
import type { WrapSandbox } from "../tasks/wrap-sandbox.ts";

/** What every backend is made of. */
export interface BackendParts {
  wrap: WrapSandbox;
  clock: Clock;
  /** Where `apiKeyEnv` and `env` of a configuration are looked up; the process's own is not read. */
  env: Environment;
  /** US dollars per million tokens, by model: for budgets. Herd's own table stands below. */
  prices?: Readonly<Record<string, TokenPrice>>;
  fetch?: typeof fetch;
  /** 0 to 1, for the jitter of retries. */
  random?: () => number;
  /** From asking a program to end to ending it. Milliseconds. */
  graceMs?: number;
}
