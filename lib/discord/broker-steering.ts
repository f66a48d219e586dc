import type { Arrival } from "../chat/arrival.ts";
import { plainLine } from "../chat/borders.ts";
import { conversationAt } from "../chat/conversation-list.ts";
import { placeOfInteraction } from "./broker-access.ts";
import { NO_CONVERSATION } from "./broker-choosing.ts";
import { type BrokerDesk, byOf, type Command, privately } from "./broker-desk.ts";
import { LIMITS } from "./limits.ts";
import type { Message, Outgoing } from "./message.ts";
import { ruleText } from "./safe-text.ts";

/** What a person may say into a turn, so that all of it is shown. UTF-16 units. */
export const LONGEST_STEERING = 1_500;

/**
 * `/steer`: said into the turn that runs, where its agent can take that; else that turn is stopped
 * and this is done next. A turn that waits for its agent has nothing to stop yet.
 */
export function createSteering(
  desk: BrokerDesk,
  refuse: (interaction: Command, why: string) => Promise<void>,
) {
  const { rest, broker } = desk;

  async function steer(interaction: Command, conversation: string, text: string): Promise<void> {
    const { applicationId, token, member } = interaction;
    const by = byOf(member);
    const edit = (message: Outgoing) => rest.editResponse(applicationId, token, message);
    await rest.respond(interaction, { kind: "defer", ephemeral: false });
    const isTaken = await broker.steer(conversation, `${heard(member.name)}: ${text}`, by);
    const state = broker.turns().find((turn) => turn.conversation === conversation)?.state.kind;
    const stops = !isTaken && state !== undefined && state !== "queued";
    const fate = isTaken
      ? "The agent has it, in the turn that runs."
      : stops
      ? "The turn that runs is stopped, and this is done next."
      : "This is done next.";
    const posted = await edit({ content: `${quoted(member.name, text)}\n-# ${fate}` });
    // First stored, then the turn is stopped: whatever ends in between, the words are there.
    if (!isTaken) broker.accept(arrivalOf(interaction, text, posted), conversation);
    if (stops) broker.cancel(conversation, by);
    desk.audit("broker-command", {
      ...{ by, name: member.name, command: "steer", conversation },
      taken: isTaken,
    });
  }

  /** As if it had been a message: the post stands for it, and bears its signs. */
  function arrivalOf(
    interaction: Command,
    text: string,
    { id, at }: Message,
  ): Arrival {
    const { userId, name, roles } = interaction.member;
    return {
      ...{ id, at, editedAt: undefined, content: text, kind: "spoken" },
      place: placeOfInteraction(interaction),
      author: { id: userId, name, displayName: name, isBot: false, roles },
      mentions: { users: [], roles: [], everyone: false },
      quoted: undefined,
      attachments: [],
      extras: [],
    };
  }

  return {
    async run(interaction: Command): Promise<void> {
      const one = conversationAt(desk.state(), interaction.channelId);
      if (one === undefined) return await refuse(interaction, NO_CONVERSATION);
      const text = String(interaction.options["text"] ?? "").trim();
      if (text === "" || text.length > LONGEST_STEERING) {
        return await refuse(
          interaction,
          `Say it in 1 to ${LONGEST_STEERING} characters; a longer word may be a message.`,
        );
      }
      if (!broker.turns().some(({ conversation }) => conversation === one.id)) {
        const why = "Nothing runs in this conversation: write it as a message.";
        return await rest.respond(interaction, { kind: "message", message: privately(why) });
      }
      await steer(interaction, one.id, text);
    },
  };
}

function heard(name: string): string {
  return `${plainLine(name, 60)} says into this turn`;
}

function quoted(name: string, text: string): string {
  const lines = ruleText(text).split("\n").map((line) => `> ${line}`).join("\n");
  return `↪️ **${ruleText(plainLine(name, 60))}**\n${lines}`.slice(0, LIMITS.content - 100);
}
