import type { Arrival, Named } from "../chat/arrival.ts";
import { BORDER_RULES } from "../chat/borders.ts";
import type { BotConfig } from "../chat/broker-config.ts";
import type { Conversation, Waiting } from "../chat/chat-state.ts";
import { type RoomMember, writeRoom } from "../chat/room.ts";

/** What an agent is told of itself before anything else. */
export function botInstructions(
  { me, config, conversation, siblings, roles, files }: {
    me: Named;
    config: Pick<BotConfig, "instructions">;
    conversation: Conversation;
    siblings: readonly Named[];
    /** Those that were mentioned, with what people call them. */
    roles: readonly Named[];
    /** Where attachments are and what is sent is put; absolute. */
    files: string;
  },
): string {
  return [
    "You converse with people on Discord. What you answer is shown to them as you write it, in " +
    "Discord's Markdown; short answers read best there. Whoever writes to you cannot see your tools' " +
    "output: say what matters of it.",
    BORDER_RULES,
    writeRoom(me, [
      ...membersOf(conversation),
      ...siblings.map((one) => ({ ...one, isBot: true })),
    ], roles),
    `Files that people attach are in ${
      JSON.stringify(`${files}/attachments`)
    }. To send a file, put a ` +
    `copy of it into ${
      JSON.stringify(`${files}/outbox`)
    }: it is posted here when it has not changed ` +
    "for a second. A name that begins with a dot is not sent.",
    config.instructions ?? "",
  ].filter((text) => text !== "").join("\n\n");
}

/** Whoever has written or was mentioned in what is to be answered. */
function membersOf(conversation: Conversation): RoomMember[] {
  return arrivalsOf(conversation).flatMap(({ author, mentions }) => [
    { id: author.id, name: author.displayName, isBot: author.isBot },
    ...mentions.users.map((one) => ({ ...one, isBot: false })),
  ]).toReversed();
}

/** Ids of the roles that were mentioned in what is to be answered, without those that call the bot. */
export function rolesIn(
  conversation: Conversation,
  triggerRoles: readonly string[],
): readonly string[] {
  const ids = arrivalsOf(conversation).flatMap(({ mentions }) =>
    mentions.roles.map(({ id }) => id)
  );
  return [...new Set(ids)].filter((id) => !triggerRoles.includes(id));
}

function arrivalsOf({ first, turn, waiting }: Conversation): Arrival[] {
  const heard: Waiting[] = [...(turn?.messages ?? []), ...waiting];
  return [first, ...heard.map(({ arrival }) => arrival)];
}
