import type { Conversation } from "../chat/chat-state.ts";

/** In whose name an agent of a conversation acts: everybody who wrote what it is at. */
export interface Asking {
  /** As `Event.by` names actors: a model, and who asked it. */
  by: string;
  /** People, each once; empty for a prompt by the clock, which whoever configured it wrote. */
  users: readonly string[];
  /** Other bots have asked as well: they may look, and have nothing done. */
  hasBots: boolean;
}

/** Undefined while no turn runs: nobody asks then. `me` is the bot's own user. */
export function askingIn(
  { turn }: Pick<Conversation, "turn">,
  { bot, me }: { bot: string; me: string | undefined },
): Asking | undefined {
  if (turn === undefined) return undefined;
  const heard = turn.messages.map(({ arrival }) => arrival);
  const users = heard.flatMap(({ author, for: others }) =>
    others ?? (author.id === me || author.isBot ? [] : [author.id])
  );
  const each = [...new Set(users)];
  const names = each.map((id) => `discord:${id}`).join(",");
  return {
    by: `broker:${bot}:${names === "" ? "clock" : names}`,
    users: each,
    hasBots: heard.some(({ author }) => author.isBot && author.id !== me),
  };
}
