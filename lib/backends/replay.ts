import type { OpenWish, Said } from "../chat/agent-session.ts";

/** Characters. */
const LONGEST = 60_000;

/**
 * What was said before, one JSON object a line, oldest first; the newest where not all has room.
 * Empty when nothing was said.
 */
export function replayText(transcript: readonly Pick<Said, "role" | "text">[]): string {
  const all = newest(transcript, LONGEST);
  return all.map(({ role, text }) => JSON.stringify({ role, text })).join("\n");
}

/** The newest of what was said, at most so many characters; of one message its beginning. */
export function newest<One extends { text: string }>(
  transcript: readonly One[],
  longest: number,
): One[] {
  const short = transcript.map((one) =>
    one.text.length <= longest / 2
      ? one
      : { ...one, text: `${one.text.slice(0, longest / 2).toWellFormed()}… (cut)` }
  );
  let size = 0;
  const over = short.findLastIndex(({ text }) => (size += text.length) > longest);
  return short.slice(over + 1);
}

/** How a conversation without the agent's own memory knows what was said. */
export function memoryOf(earlier: OpenWish["earlier"]): "fresh" | "replayed" | "lost" {
  if (earlier === undefined) return "fresh";
  if (earlier.transcript.length > 0) return "replayed";
  return earlier.sessionId === undefined ? "fresh" : "lost";
}
