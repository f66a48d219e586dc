import { explain } from "../base/explain.ts";
import type { Told } from "../chat/broker.ts";
import { type BrokerDesk, byOf, type Command, type Press } from "./broker-desk.ts";
import { encodeButton } from "./button-id.ts";
import type { Outgoing } from "./message.ts";
import { createRecent } from "./recent.ts";
import { ruleText } from "./safe-text.ts";

/** How long a question whether to do something waits. */
const ASKED_MS = 15 * 60_000;

export interface BrokerQuestions {
  askToReset(interaction: Command, conversation: string): Promise<void>;
  askToAttach(interaction: Command, conversation: string, from: string): Promise<void>;
  /** The answers; the person may talk to the bot. */
  press(interaction: Press, action: string, args: readonly string[]): Promise<void>;
}

/** Orders that take something away are asked about first. All they need stands in their buttons. */
export function createBrokerQuestions(
  desk: BrokerDesk,
  refuse: (interaction: Command | Press, why: string) => Promise<void>,
): BrokerQuestions {
  const { rest, broker } = desk;
  /** A second press of the same one is no second order. */
  const pressed = createRecent(500);

  async function ask(
    interaction: Command,
    content: string,
    [action, args, label]: readonly [string, readonly string[], string],
  ): Promise<void> {
    const { userId } = interaction.member;
    const make = (action: string, args: readonly string[]) =>
      encodeButton({ action, sweep: desk.mark(), args });
    const [yes, no] = [make(action, args), make("keep", [userId])];
    if (yes === undefined || no === undefined) {
      return await refuse(interaction, "That has no room in Discord's buttons.");
    }
    const message: Outgoing = {
      content,
      rows: [[
        { id: yes, label, style: "danger" },
        { id: no, label: "No", style: "secondary" },
      ]],
    };
    await rest.respond(interaction, { kind: "message", message });
  }

  /** What would be lost with it. */
  function losses(conversation: string): string {
    const runs = broker.turns().some((turn) => turn.conversation === conversation);
    const waits = desk.state().conversations.get(conversation)?.waiting.length ?? 0;
    const parts = [
      ...(runs ? ["the turn that runs is ended"] : []),
      ...(waits === 0 ? [] : [`${waits === 1 ? "one message" : `${waits} messages`} dropped`]),
    ];
    return parts.length === 0 ? "" : ` With it, ${parts.join(" and ")}.`;
  }

  async function press(
    interaction: Press,
    action: string,
    args: readonly string[],
  ): Promise<void> {
    const { member, message } = interaction;
    if (action === "attach" && args[2] !== member.userId) {
      return await refuse(
        interaction,
        "Only who asked for it may say yes: it shows what they saw.",
      );
    }
    if (desk.clock.now() > message.at + ASKED_MS) {
      return await close(interaction, "Nobody pressed it in time: nothing was done.");
    }
    if (!pressed.isNew(message.id)) return await refuse(interaction, "It was pressed already.");
    if (action === "keep") return await close(interaction, `Not done, says ${member.name}.`);
    await rest.respond(interaction, { kind: "defer-update" });
    const done = await carryOut(interaction, action, args);
    const content = `${message.content}\n${ruleText(done)}`.slice(0, 1_990);
    await rest.editResponse(interaction.applicationId, interaction.token, { content, rows: [] });
  }

  async function carryOut(
    { member }: Press,
    action: string,
    [conversation = "", from = ""]: readonly string[],
  ): Promise<string> {
    const by = byOf(member);
    try {
      const told: Told = action === "attach"
        ? await broker.attach(conversation, from, by)
        : await broker.reset(conversation, by);
      if (!told.done) return `${told.reason}.`;
    } catch (error) {
      return `That did not work: ${explain(error, "terminal")}`;
    }
    desk.permissions.forget(conversation);
    desk.audit("broker-command", { by, name: member.name, command: action, conversation, from });
    return action === "attach"
      ? `✅ ${member.name} said yes: the agent goes on here with what was said there.`
      : `✅ ${member.name} said yes: the agent has forgotten this conversation, and begins anew.`;
  }

  async function close(interaction: Press, why: string): Promise<void> {
    const content = `${interaction.message.content}\n${ruleText(why)}`.slice(0, 1_990);
    await rest.respond(interaction, { kind: "update", message: { content, rows: [] } });
  }

  return {
    press,
    askToReset: (interaction, conversation) =>
      ask(
        interaction,
        `<@${interaction.member.userId}> wants the agent to forget this conversation and begin ` +
          `anew.${losses(conversation)} What was written here stays. Do it?`,
        ["forget", [conversation], "Yes, forget it"],
      ),
    askToAttach: (interaction, conversation, from) =>
      ask(
        interaction,
        `<@${interaction.member.userId}> wants the agent to go on here with what was said in ` +
          `${
            mentionOf(desk, from)
          }: whoever reads here can then ask about it. What was said here ` +
          `before is forgotten.${losses(conversation)} Do it?`,
        ["attach", [conversation, from, interaction.member.userId], "Yes, go on with it"],
      ),
  };
}

function mentionOf(desk: Pick<BrokerDesk, "state">, id: string): string {
  const one = desk.state().conversations.get(id);
  return one?.place.isDirect === true
    ? "their direct messages"
    : `<#${one?.where?.channelId ?? id}>`;
}
