import { plainFences } from "../base/fences.ts";
import { splitText } from "../base/split-text.ts";

/** What one message takes, UTF-16 units. */
export const MESSAGE_UNITS = 2_000;
/** More messages than this in a row are a file. */
export const MOST_MESSAGES = 4;

export interface Chunks {
  /** In order; never empty ones. */
  messages: readonly string[];
  /** All of it, where messages have no room for it. */
  file: { name: string; text: string } | undefined;
}

/**
 * A finished text as messages: at most four, code blocks and tables kept in one piece where that is
 * possible. What needs more is one message with the beginning, and a file with the whole.
 *
 * `original`: what the file holds, where that differs from what is shown; `tail`: stands below all,
 * in the last message.
 */
export function chunksOf(
  text: string,
  { original = text, tail = "" }: { original?: string; tail?: string } = {},
): Chunks {
  const shown = plainFences(text);
  for (const whole of [true, false]) {
    const messages = withTail(splitText(shown, MESSAGE_UNITS, { whole }), tail);
    if (messages.length <= MOST_MESSAGES) return { messages, file: undefined };
  }
  const note = "… the whole answer is in the file `answer.md`";
  const room = MESSAGE_UNITS - note.length - tail.length - 2;
  const [beginning = ""] = splitText(shown, room);
  return {
    messages: [[beginning, note, tail].filter((one) => one !== "").join("\n")],
    file: { name: "answer.md", text: original },
  };
}

function withTail(messages: readonly string[], tail: string): readonly string[] {
  if (tail === "") return messages;
  const last = messages.at(-1);
  if (last === undefined) return [tail];
  const joined = `${last}\n${tail}`;
  return joined.length <= MESSAGE_UNITS ? [...messages.slice(0, -1), joined] : [...messages, tail];
}
