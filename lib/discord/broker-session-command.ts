import { shorten } from "../base/markdown.ts";
import { visible } from "../base/width.ts";
import type { Conversation } from "../chat/chat-state.ts";
import { channelOf, conversationAt, conversationsIn, phaseOf } from "../chat/conversation-list.ts";
import { exportTranscript } from "../chat/export-transcript.ts";
import { isPlaceAllowed } from "../chat/gate.ts";
import { placeOfInteraction } from "./broker-access.ts";
import { NO_CONVERSATION } from "./broker-choosing.ts";
import { type BrokerDesk, type Command, privately } from "./broker-desk.ts";
import type { createGrantsCommand } from "./broker-grants.ts";
import type { BrokerQuestions } from "./broker-questions.ts";
import { maySee } from "./broker-sight.ts";
import type { Interaction } from "./gateway-event.ts";
import { LIMITS } from "./limits.ts";
import type { Outgoing } from "./message.ts";
import { fileOf } from "./post-view.ts";
import { answerWith } from "./reply.ts";
import { ruleText } from "./safe-text.ts";

type Completion = Extract<Interaction, { kind: "completion" }>;

const MOST_LISTED = 15;

/** `/session list`, `attach`, `export` and `permissions`. */
export function createSessionCommand(
  desk: BrokerDesk,
  { questions, grants }: {
    questions: Pick<BrokerQuestions, "askToAttach">;
    grants: Pick<ReturnType<typeof createGrantsCommand>, "run">;
  },
  refuse: (interaction: Command, why: string) => Promise<void>,
) {
  /** Those of this channel; in direct messages, and anywhere else, what this person began. */
  function near({ member, channelId, parentId, guildId }: Interaction): readonly Conversation[] {
    const { userId } = member;
    const current = conversationAt(desk.state(), channelId)?.id;
    // Whose thread was there before may be a private one: its title is not for everybody.
    const isOpen = ({ place, first, id }: Conversation) =>
      place.threadId === undefined || first.author.id === userId || id === current;
    const here = guildId === undefined
      ? []
      : conversationsIn(desk.state(), parentId ?? channelId).filter(isOpen);
    const own = [...desk.state().conversations.values()].filter(({ place, first }) =>
      first.author.id === userId &&
      (place.isDirect || isPlaceAllowed({ place }, desk.rules())) &&
      (guildId === undefined || place.guildId === guildId)
    ).sort((a, b) => b.lastAt - a.lastAt);
    return [...new Set([...here, ...own])];
  }

  function list(interaction: Command): Outgoing {
    const found = near(interaction);
    if (found.length === 0) return privately("There are no conversations here, and none of yours.");
    const turns = desk.broker.turns();
    const shown = found.slice(0, MOST_LISTED);
    const here = conversationAt(desk.state(), interaction.channelId)?.id;
    const lines = shown.map((one) => {
      const spoken = `<t:${Math.floor(one.lastAt / 1000)}:R>`;
      const count = `${one.turns} ${one.turns === 1 ? "turn" : "turns"}`;
      const cost = one.usd > 0 ? `, $${one.usd.toFixed(one.usd < 1 ? 4 : 2)}` : "";
      const phase = phaseOf(one, turns, desk.hasAgent(one.id));
      const mark = one.id === here ? " ← here" : "";
      return `- <#${channelOf(one)}> ${phase}, ${spoken}, ${count}${cost}${mark}`;
    });
    const left = found.length - shown.length;
    return privately([...lines, ...(left === 0 ? [] : [`and ${left} more`])].join("\n"));
  }

  async function attach(interaction: Command): Promise<void> {
    const typed = String(interaction.options["from"] ?? "").trim();
    const from = find(typed);
    const here = conversationAt(desk.state(), interaction.channelId)?.id ??
      ownConversation(interaction);
    if (here === undefined) {
      return await refuse(
        interaction,
        "Attach works in a thread or in direct messages, where a conversation is held.",
      );
    }
    // What somebody may not see is as if it were not there.
    const unknown =
      `There is no conversation ${ruleText(`"${typed.slice(0, 100)}"`)} that you may ` +
      "see; `/session list` lists some.";
    if (from === undefined) return await refuse(interaction, unknown);
    if (from.id === here) return await refuse(interaction, "That is this conversation.");
    const sees = await inTime(desk, maySee(desk, interaction, from));
    if (sees === undefined) {
      return await refuse(
        interaction,
        "Discord does not say now who may see that; try again soon.",
      );
    }
    if (!sees) {
      desk.audit("refused", {
        by: `discord:${interaction.member.userId}`,
        command: "session attach",
        conversation: from.id,
        why: "may not see it",
      });
      return await refuse(interaction, unknown);
    }
    await questions.askToAttach(interaction, here, from.id);
  }

  function find(typed: string): Conversation | undefined {
    const id = /^<#(\d{1,20})>$/.exec(typed)?.[1] ?? /(\d{1,20})\/?$/.exec(typed)?.[1];
    return id === undefined ? undefined : conversationAt(desk.state(), id);
  }

  async function save(interaction: Command): Promise<void> {
    const one = conversationAt(desk.state(), interaction.channelId);
    await answerWith(desk, interaction, async () => {
      if (one === undefined) return privately(NO_CONVERSATION);
      const said = await desk.transcript(one.id);
      if (said.length === 0) return privately("Nothing was said here that herd has kept.");
      const { name, text } = exportTranscript(desk.titleOf(one), said, desk.clock.now());
      return {
        content: `${said.length} ${said.length === 1 ? "entry" : "entries"} of this conversation:`,
        files: [{ ...fileOf(name, text), contentType: "text/markdown; charset=utf-8" }],
      };
    }, { ephemeral: true });
  }

  function complete(interaction: Completion): readonly { name: string; value: string }[] {
    if (interaction.focused.name !== "from") return [];
    const typed = interaction.focused.value.trim().toLowerCase();
    const here = conversationAt(desk.state(), interaction.channelId)?.id;
    return near(interaction).filter(({ id }) => id !== here)
      .map((one) => ({
        name: shorten(visible(desk.titleOf(one)).trim() || one.id, LIMITS.choiceName),
        value: one.id,
      }))
      .filter(({ name, value }) => name.toLowerCase().includes(typed) || value.includes(typed))
      .slice(0, LIMITS.choices);
  }

  return {
    complete,
    async run(interaction: Command): Promise<void> {
      switch (interaction.sub) {
        case "list":
          return await desk.rest.respond(interaction, {
            kind: "message",
            message: list(interaction),
          });
        case "attach":
          return await attach(interaction);
        case "export":
          return await save(interaction);
        case "permissions":
          return await grants.run(interaction);
        default:
          return await refuse(interaction, "That is of another version of herd.");
      }
    },
  };
}

/** Of a place in which nobody has spoken to the bot yet. */
function ownConversation(interaction: Command): string | undefined {
  const { threadId, isDirect, channelId } = placeOfInteraction(interaction);
  return threadId ?? (isDirect ? channelId : undefined);
}

/** Discord waits for three seconds, and must not wait for itself. */
async function inTime(
  { clock }: Pick<BrokerDesk, "clock">,
  work: Promise<boolean | undefined>,
): Promise<boolean | undefined> {
  const over = new AbortController();
  return await Promise.race([
    work,
    clock.sleep(2_000, over.signal).then(() => undefined, () => undefined),
  ]).finally(() => over.abort());
}
