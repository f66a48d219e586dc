import { WAIT_LIMITS, waitLine } from "../chat/waits.ts";
import { type BrokerDesk, byOf, type Command, type Press, privately } from "./broker-desk.ts";
import { encodeButton } from "./button-id.ts";
import type { Button, Outgoing } from "./message.ts";
import { withoutMentions } from "./safe-text.ts";

const PER_ROW = 5;

/** `/waits`: what the agent of a conversation waits for, for whoever may talk with it. */
export function createWaitsCommand(desk: BrokerDesk) {
  const { rest, waits } = desk;

  function list(conversation: string, said = ""): Outgoing {
    const all = waits.of(conversation).slice(0, WAIT_LIMITS.perConversation);
    if (all.length === 0) {
      const content = `${said}The agent of this conversation waits for nothing.`;
      return { content, rows: [], ephemeral: true };
    }
    const lines = all.map((one, i) => `${i + 1}. ${waitLine(one)}`);
    const buttons = all.flatMap(({ id }, i): Button[] => {
      const button = encodeButton({ action: "unwait", sweep: desk.mark(), args: [id] });
      return button === undefined
        ? []
        : [{ id: button, label: `Drop ${i + 1}`, style: "secondary" }];
    });
    const rows = [buttons.slice(0, PER_ROW), buttons.slice(PER_ROW)];
    return {
      ...privately(withoutMentions(`${said}It waits for\n${lines.join("\n")}`)),
      rows: rows.filter((row) => row.length > 0),
    };
  }

  return {
    async run(interaction: Command, conversation: string): Promise<void> {
      await rest.respond(interaction, { kind: "message", message: list(conversation) });
    },
    async drop(
      interaction: Press,
      conversation: string,
      [id = ""]: readonly string[],
    ): Promise<void> {
      const isDropped = waits.drop(id, conversation, byOf(interaction.member));
      const said = isDropped ? "It is dropped.\n" : "That one is over already.\n";
      await rest.respond(interaction, { kind: "update", message: list(conversation, said) });
    },
  };
}
