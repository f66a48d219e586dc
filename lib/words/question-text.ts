import type { Confirmation, Question } from "../sweep/monitor-event.ts";
import { spanText } from "./duration-text.ts";
import { keepBeginning, quoted } from "./post-text.ts";

/** A question with its numbered answers, each on a line of its own. */
export function questionText({ text, choices }: Question): string {
  const lines = choices.map((choice, i) => `${i + 1}. ${quoted(choice, 200)}`)
    // The interview's own questions list them already.
    .filter((line) => !text.includes(line));
  const how = choices.length > 1 ? ["Answer in your own words or with a number."] : [];
  return keepBeginning([text.trim(), ...lines, ...how].join("\n"));
}

/** What somebody wants to do and a person must allow. `now` in milliseconds since the epoch. */
export function confirmationText(
  { id, what, why, by, expiresAt }: Confirmation,
  now: number,
): string {
  const reason = quoted(why, 400);
  return `${quoted(by, 60)} asks to ${quoted(what, 300)}${
    reason === "" ? "" : `, because: ${reason}`
  }\n\`/confirm ${id}\` or \`/deny ${id}\`, within ${
    spanText(expiresAt - now)
  }; no answer is a no.`;
}
