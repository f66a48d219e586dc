import type { SessionOption } from "../chat/agent-session.ts";
import { conversationAt } from "../chat/conversation-list.ts";
import { type BrokerDesk, byOf, type Command, type Press, privately } from "./broker-desk.ts";
import { findChoice, type MenuKind, menuView } from "./broker-menus.ts";
import type { Outgoing } from "./message.ts";
import { answerWith } from "./reply.ts";
import { ruleText } from "./safe-text.ts";

/** An agent that does not live yet may need so long to start. */
const START_MS = 90_000;

/** `/models` and `/agents`: menus of what the conversation's agent offers. */
export function createBrokerChoosing(desk: BrokerDesk) {
  const { rest, broker } = desk;

  async function optionsOf(
    conversation: string,
  ): Promise<{ options: readonly SessionOption[] } | { reason: string }> {
    const late = new AbortController();
    const over = new AbortController();
    void desk.clock.sleep(START_MS, over.signal).then(() => late.abort(), () => {});
    return await broker.options(conversation, late.signal).finally(() => over.abort());
  }

  async function view(
    conversation: string,
    kind: MenuKind,
    more: { option?: string; page?: number; said?: string } = {},
  ): Promise<Outgoing> {
    const told = await optionsOf(conversation);
    if ("reason" in told) return emptied(`${more.said ?? ""}${ruleText(told.reason)}.`);
    const { said, ...turned } = more;
    return menuView(told.options, { kind, conversation, mark: desk.mark(), ...turned }, said);
  }

  async function show(interaction: Command, kind: MenuKind): Promise<void> {
    const one = conversationAt(desk.state(), interaction.channelId);
    await answerWith(
      desk,
      interaction,
      async () => one === undefined ? privately(NO_CONVERSATION) : await view(one.id, kind),
      { ephemeral: true },
    );
  }

  async function turn(
    interaction: Press,
    kind: MenuKind,
    [conversation = "", option = "", page = "0"]: readonly string[],
  ): Promise<void> {
    await redraw(interaction, () => view(conversation, kind, { option, page: Number(page) || 0 }));
  }

  async function pick(
    interaction: Press,
    kind: MenuKind,
    [conversation = "", option = ""]: readonly string[],
  ): Promise<void> {
    await redraw(interaction, async () => {
      const said = await choose(interaction, conversation, option);
      return await view(conversation, kind, { said: `${said}\n` });
    });
  }

  async function choose(
    { member, values }: Press,
    conversation: string,
    option: string,
  ): Promise<string> {
    const told = await optionsOf(conversation);
    if ("reason" in told) return `${ruleText(told.reason)}.`;
    const found = findChoice(told.options, option, values?.[0] ?? "");
    if (found === undefined) return "The agent does not offer that any more.";
    const by = byOf(member);
    const done = await broker.choose(conversation, found.option.id, found.value, by);
    if (!done.done) return `❌ ${ruleText(done.reason)}.`;
    desk.audit("broker-choice", {
      by,
      name: member.name,
      conversation,
      option: found.option.id,
      value: found.value,
    });
    return `✅ ${ruleText(found.option.name)} is now **${ruleText(found.name)}**.`;
  }

  /** The work may take longer than the three seconds that Discord waits. */
  async function redraw(interaction: Press, work: () => Promise<Outgoing>): Promise<void> {
    await rest.respond(interaction, { kind: "defer-update" });
    const message = await work().catch((error: unknown) => {
      desk.log("warn", "Cannot show an agent's choices", { error: `${error}` });
      return emptied("That did not work; run the command again.");
    });
    await rest.editResponse(interaction.applicationId, interaction.token, message);
  }

  return { show, turn, pick };
}

export const NO_CONVERSATION =
  "There is no conversation here yet: mention the bot, or write into one of its threads.";

function emptied(content: string): Outgoing {
  return { content: content.slice(0, 1_990), menus: [], rows: [] };
}
