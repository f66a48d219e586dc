import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { Id, Message } from "./message.ts";
import type { DiscordRest } from "./rest.ts";

/** So many of the newest posts are looked through. */
const LOOKED_AT = 100;
/** This machine's clock and Discord's may differ so much. */
const SKEW_MS = 5 * 60_000;

/** The journal's number of the newest end that the channel tells of; undefined: it tells of none. */
export async function lastTold({ desk, rest, channel, me, signal }: {
  desk: Pick<PoolDesk, "events">;
  rest: Pick<DiscordRest, "messages">;
  channel: Id;
  me: Id;
  signal: AbortSignal;
}): Promise<number | undefined> {
  const ends = desk.events(0, Number.MAX_SAFE_INTEGER).flatMap(({ seq, what }) =>
    what.type === "task-ended" ? [{ seq, task: what.task }] : []
  );
  if (ends.length === 0) return undefined;
  const posts = (await rest.messages(channel, { limit: LOOKED_AT }, signal))
    .filter(({ author }) => author.id === me);
  const before = new Map<string, number>();
  for (const { task } of ends) before.set(task, (before.get(task) ?? 0) + 1);
  for (const { seq, task } of ends.toReversed()) {
    const told = posts.filter(({ content }) => tellsOf(content, task)).length;
    const number = before.get(task)!;
    // A task that was tried again ends again: its third end is told by its third post.
    if (told >= number) return seq;
    before.set(task, number - 1);
  }
  return undefined;
}

function tellsOf(content: string, task: string): boolean {
  const [head = "", ...rest] = content.split("\n");
  const lines = head.startsWith("**[") ? [head] : rest;
  return lines.some((line) => line.includes(`\`${task}\``));
}

/** A post that begins so, when it is there already although nobody heard so. */
export async function findPosted(
  begins: string,
  { rest, channel, me, since, signal }: {
    rest: Pick<DiscordRest, "messages">;
    channel: Id;
    me: Id;
    /** Of this machine's clock. */
    since: number;
    signal: AbortSignal;
  },
): Promise<Message | undefined> {
  const posts = await rest.messages(channel, { limit: LOOKED_AT }, signal);
  return posts.find((one) =>
    one.author.id === me && one.at > since - SKEW_MS && one.content.startsWith(begins.trim())
  );
}
