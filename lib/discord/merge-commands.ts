import type { CommandDefinition } from "./command-definition.ts";

/**
 * Commands of several parts of herd as the one set that Discord takes. Two of one name are one
 * command: what it does is told by where it is given. It has the options of both, and those that not
 * both insist on may be left out.
 */
export function mergeCommands(
  sets: readonly (readonly CommandDefinition[])[],
): CommandDefinition[] {
  const merged = new Map<string, CommandDefinition>();
  for (const one of sets.flat()) {
    const known = merged.get(one.name);
    if (known === undefined || isSame(known, one)) merged.set(one.name, one);
    else merged.set(one.name, both(known, one));
  }
  return [...merged.values()];
}

function both(a: CommandDefinition, b: CommandDefinition): CommandDefinition {
  // Subcommands and options exclude each other: whoever came first has them.
  if (a.subcommands !== undefined || b.subcommands !== undefined) return a;
  const others = b.options.filter(({ name }) => !a.options.some((one) => one.name === name));
  const options = [
    ...a.options.map((one) => ({
      ...one,
      required: one.required &&
        b.options.some((other) => other.name === one.name && other.required),
    })),
    ...others.map((one) => ({ ...one, required: false })),
  ];
  return {
    ...a,
    description: a.description === b.description
      ? a.description
      : `${a.description} · ${b.description}`.slice(0, 100),
    options,
  };
}

function isSame(a: CommandDefinition, b: CommandDefinition): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
