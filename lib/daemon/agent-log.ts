import type { Clock } from "../base/clock.ts";

/** Of each conversation, in a minute. */
const MOST = 60;
const MINUTE_MS = 60_000;
/** Of one entry, UTF-16 units. */
const LONGEST = 500;

/**
 * What agents write to their standard error, as entries of herd's log: an agent that writes without
 * end must not push out what herd has to say.
 */
export function createAgentLog(
  clock: Clock,
  write: (conversation: string, text: string) => void,
): (conversation: string, text: string) => void {
  const minutes = new Map<string, { since: number; count: number }>();

  function countOf(conversation: string): number {
    const now = clock.now();
    const known = minutes.get(conversation);
    if (known !== undefined && now - known.since < MINUTE_MS) return ++known.count;
    for (const [id, { since }] of minutes) {
      if (now - since >= MINUTE_MS) minutes.delete(id);
    }
    minutes.set(conversation, { since: now, count: 1 });
    return 1;
  }

  return (conversation, text) => {
    const words = text.trim().slice(-LONGEST);
    if (words === "") return;
    const count = countOf(conversation);
    if (count < MOST) write(conversation, words);
    else if (count === MOST) write(conversation, "The agent writes more than is kept here");
  };
}
