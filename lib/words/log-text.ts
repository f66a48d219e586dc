import { shownText } from "../base/shown.ts";

/**
 * A log as chat, models and tables show it: no escape sequences, of a progress
 * bar only its latest state, no control characters.
 */
export function logText(raw: string): string {
  // deno-lint-ignore no-control-regex -- colours are control characters
  const plain = shownText(raw).replace(/\x1b\[[0-9;:]*[mK]/g, "");
  return plain.split("\n").map(latest).join("\n");
}

function latest(line: string): string {
  const states = line.split("\r").filter((state) => state.trim() !== "");
  // deno-lint-ignore no-control-regex -- as above
  return (states.at(-1) ?? "").replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "").trimEnd();
}
