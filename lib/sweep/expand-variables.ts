/** `${NAME}`, and nothing else: `$NAME` stays as it is. */
export const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Keys of herd's configuration whose text is for people and models: a `${…}` in it is theirs. */
export const AS_WRITTEN_KEYS: readonly string[] = ["task", "use", "instructions", "message"];

/**
 * Puts variables in the place of each `${NAME}`. Their values are taken as they are:
 * a `${…}` within one is not looked at again. A variable that is set to nothing counts
 * as set; `missing` names those that are not, each once, in the order of the text.
 */
export function expandVariables(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): { text: string } | { missing: string[] } {
  const names = [...text.matchAll(VARIABLE)].map(([, name]) => name!);
  // Own names only: every object has a "constructor".
  const valueOf = (name: string) => Object.hasOwn(env, name) ? env[name] : undefined;
  const missing = names.filter((name) => valueOf(name) === undefined);
  if (missing.length > 0) return { missing: [...new Set(missing)] };
  return { text: text.replace(VARIABLE, (_, name: string) => valueOf(name)!) };
}

/** Whether a `${` is not the beginning of a `${NAME}`. */
export function hasOddVariable(text: string): boolean {
  return text.replace(VARIABLE, "").includes("${");
}
