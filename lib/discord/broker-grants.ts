import { codeSpan } from "../base/markdown.ts";
import { conversationAt } from "../chat/conversation-list.ts";
import type { Grant } from "../chat/grants.ts";
import { NO_CONVERSATION } from "./broker-choosing.ts";
import { type BrokerDesk, byOf, type Command, type Press, privately } from "./broker-desk.ts";
import { encodeButton } from "./button-id.ts";
import { LIMITS } from "./limits.ts";
import type { Button, Outgoing } from "./message.ts";

/** Beyond them a message has no room; the newest are shown. */
const MOST_SHOWN = 15;
const PER_ROW = 5;
const LONGEST_TOOL = 80;

/** `/session permissions`: what was allowed for always in a conversation, with buttons to take it back. */
export function createGrantsCommand(desk: BrokerDesk) {
  const { rest, broker } = desk;

  function list(conversation: string, said = ""): Outgoing {
    const grants = desk.state().conversations.get(conversation)?.grants ?? [];
    if (grants.length === 0) {
      const content = `${said}Nothing is allowed for always in this conversation.`;
      return { content, rows: [], ephemeral: true };
    }
    const shown = grants.slice(-MOST_SHOWN).toReversed();
    const left = grants.length - shown.length;
    const lines = [
      ...shown.map((one, i) => `${i + 1}. ${lineOf(one)}`),
      ...(left === 0 ? [] : [`and ${left} more, older ones; \`/reset\` ends them all`]),
    ];
    const buttons = shown.flatMap(({ id }, i): Button[] => {
      const button = encodeButton({
        action: "revoke",
        sweep: desk.mark(),
        args: [conversation, id],
      });
      const label = `Ask again for ${i + 1}`;
      return button === undefined ? [] : [{ id: button, label, style: "secondary" }];
    });
    return { ...privately(`${said}${lines.join("\n")}`), rows: inRows(buttons) };
  }

  return {
    async run(interaction: Command): Promise<void> {
      const one = conversationAt(desk.state(), interaction.channelId);
      const message = one === undefined ? privately(NO_CONVERSATION) : list(one.id);
      await rest.respond(interaction, { kind: "message", message });
    },
    /** The person may talk to the bot; less is allowed after it, so whoever may talk may. */
    async revoke(
      interaction: Press,
      [conversation = "", grant = ""]: readonly string[],
    ): Promise<void> {
      const { member } = interaction;
      const by = byOf(member);
      const told = broker.revoke(conversation, grant, by);
      if (told.done) {
        desk.audit("broker-button", {
          by,
          name: member.name,
          action: "revoke",
          conversation,
          grant,
        });
      }
      const said = told.done ? "It is asked for again.\n" : `${told.reason}.\n`;
      await rest.respond(interaction, { kind: "update", message: list(conversation, said) });
    },
  };
}

function lineOf({ tool, by }: Grant): string {
  const who = /^discord:\d+$/.test(by) ? `<@${by.slice("discord:".length)}>` : by;
  return `${codeSpan(tool, LONGEST_TOOL)}, allowed by ${who}`;
}

function inRows(buttons: readonly Button[]): Button[][] {
  const rows = Math.min(Math.ceil(buttons.length / PER_ROW), LIMITS.rows);
  return Array.from(
    { length: rows },
    (_, i) => buttons.slice(i * PER_ROW, (i + 1) * PER_ROW),
  );
}
