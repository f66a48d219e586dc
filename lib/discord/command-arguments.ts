import type { SlashCommand } from "../slash/table.ts";
import type { OptionValue } from "./gateway-event.ts";

/** What stands for an option that was left out before one that was given: words have an order, options have none. */
const LEFT_OUT: Readonly<Record<string, string>> = { lines: "20", page: "1" };

/** Discord's named options as the words of a text command. */
export function argumentsOf(
  command: SlashCommand,
  options: Readonly<Record<string, OptionValue>>,
): string[] {
  const words = command.arguments.map(({ name, kind }) => {
    const value = options[name];
    return value === undefined ? { left: LEFT_OUT[kind] } : { given: `${value}` };
  });
  const last = words.findLastIndex((word) => "given" in word);
  return words.slice(0, last + 1).flatMap((word) => {
    const text = word.given ?? word.left;
    return text === undefined ? [] : [text];
  });
}
