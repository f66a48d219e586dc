import type { SessionOption } from "../chat/agent-session.ts";

/** Why a choice cannot be made: a sentence without a period; undefined when it can. */
export function choiceProblem(
  id: string,
  value: string,
  options: readonly SessionOption[],
): string | undefined {
  const option = options.find((one) => one.id === id);
  if (option === undefined) {
    const known = options.map((one) => `"${one.id}"`).join(", ");
    return `The agent offers no choice "${id}"${known === "" ? "" : `, only ${known}`}`;
  }
  if (option.values.some((one) => one.value === value)) return undefined;
  const known = option.values.slice(0, 20).map((one) => `"${one.value}"`).join(", ");
  return `"${value}" is none of ${known}`;
}
