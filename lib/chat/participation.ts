/**
 * Which bots have spoken where, by conversation. It is remembered for good: a bot does not leave a
 * thread because a hundred messages came after its own. A channel and the threads below it are
 * conversations of their own.
 */
export type Participation = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * A bot has spoken, or started the thread. The same value when that was known. What is new costs a
 * copy: whoever reads many at once, from a file, had better gather them and unpack them.
 */
export function noteBot(
  known: Participation,
  conversation: string,
  bot: string,
): Participation {
  const there = known.get(conversation);
  if (there?.has(bot)) return known;
  return new Map(known).set(conversation, new Set([...there ?? [], bot]));
}

/** The thread is gone. */
export function forgetConversation(known: Participation, conversation: string): Participation {
  if (!known.has(conversation)) return known;
  const rest = new Map(known);
  rest.delete(conversation);
  return rest;
}

export function tookPart(known: Participation, conversation: string, bot: string): boolean {
  return known.get(conversation)?.has(bot) ?? false;
}

/** Others than `me`, in the order in which they first spoke. */
export function otherBots(known: Participation, conversation: string, me: string): string[] {
  return [...known.get(conversation) ?? []].filter((bot) => bot !== me);
}

/** For a file. */
export function packParticipation(known: Participation): [string, string[]][] {
  return [...known].map(([conversation, bots]) => [conversation, [...bots]]);
}

/** From the file; of nothing at the very start. */
export function unpackParticipation(
  entries: readonly (readonly [string, readonly string[]])[] = [],
): Participation {
  return new Map(entries.map(([conversation, bots]) => [conversation, new Set(bots)]));
}
