import type { Environment } from "../agent/credentials.ts";
import { withoutSecrets } from "../agent/credentials.ts";

/** Beside the attempt's environment: variables of the worker's own that a configuration names. */
export interface ProgramEnv {
  variables: Readonly<Record<string, string>>;
  /** Takes the values of these variables out of a text. */
  clean(text: string): string;
}

/** Else the first name that is not set, in a sentence without a period. */
export function programEnv(
  names: readonly string[] = [],
  env: Environment,
): ProgramEnv | { refused: string } {
  const variables: Record<string, string> = {};
  for (const name of names) {
    const value = env[name];
    if (value === undefined) {
      return { refused: `Cannot use the backend: variable ${name}, which it names, is not set` };
    }
    variables[name] = value;
  }
  return { variables, clean: (text) => withoutSecrets(text, Object.values(variables)) };
}
