import { UserError } from "../lib/base/errors.ts";

/** One error for all that is wrong or missing. */
export function setupMistakes(section: "pool" | "broker", wrong: readonly string[]): UserError {
  const [first = "", ...more] = wrong;
  const hint =
    `\`herd ${section} setup\` at a terminal asks for everything; \`herd help ${section}\` lists the options`;
  if (more.length === 0) return new UserError(first, { hint });
  return new UserError(
    `Cannot set up the ${section}: ${wrong.length} things are wrong or missing`,
    {
      hint,
      mistakes: wrong.map((message) => ({ message })),
    },
  );
}
