import { nearest } from "../lib/base/text.ts";

/**
 * For whom a line is: the only sweep, or that whose name stands in front as
 * `@name`, or the only one that has asked something.
 */
export function addressed(
  text: string,
  ids: readonly string[],
  asking: readonly string[] = [],
): { id: string; text: string } | { mistake: string } {
  const match = /^@(\S+?)[:,]?(?:\s+([\s\S]*))?$/.exec(text);
  const id = ids.find((one) => one === match?.[1]);
  const rest = match?.[2]?.trim() ?? "";
  if (id !== undefined) {
    return rest === "" ? { mistake: `What is it that ${id} should hear?` } : { id, text: rest };
  }
  if (ids.length === 1) return { id: ids[0]!, text };
  if (ids.length === 0) return { mistake: "There is no sweep here to talk to." };
  if (match === null && asking.length === 1 && !text.startsWith("/")) {
    return { id: asking[0]!, text };
  }
  const near = match === null ? undefined : nearest(match[1]!, ids);
  const names = ids.map((one) => `@${one}`).join(", ");
  return {
    mistake: near === undefined
      ? `Which sweep is meant? Begin with its name: ${names}.`
      : `There is no sweep ${match![1]} here. Did you mean @${near}? There are ${names}.`,
  };
}
