import { failureDetails } from "../chat/failure-text.ts";
import { isOver } from "../chat/turn.ts";
import { mayApprove } from "./broker-access.ts";
import { placeOfInteraction } from "./broker-access.ts";
import { type BrokerDesk, byOf, type Press, privately } from "./broker-desk.ts";
import { LIMITS } from "./limits.ts";
import type { Outgoing } from "./message.ts";
import { fileOf } from "./post-view.ts";
import { createRecent } from "./recent.ts";
import { codeBlock, ruleText } from "./safe-text.ts";

const ANSWERS = { allow: "once", always: "always", refuse: "deny" } as const;

/** Buttons below a turn. They need nothing but the journal, and what runs now. */
export function createBrokerPresses(
  desk: BrokerDesk,
  { refuse, refused }: {
    refuse(interaction: Press, why: string): Promise<void>;
    /** Somebody may not: it is written down. */
    refused(interaction: Press, what: string, why: string): Promise<void>;
  },
) {
  const { rest, broker, permissions } = desk;
  const stopped = createRecent(500);

  /** A press of an answer that was meant for an earlier question is none to this one. A.17.24. */
  async function answer(
    interaction: Press,
    action: keyof typeof ANSWERS,
    [conversation = "", turn = "", question = ""]: readonly string[],
  ): Promise<void> {
    const { member } = interaction;
    const place = placeOfInteraction(interaction);
    const ruling = mayApprove(desk.rules(), desk.approvers(), member, place);
    if (!ruling.may) return await refused(interaction, action, ruling.why);
    const runs = broker.turns().some(({ id, state }) => id === turn && !isOver(state));
    const given = runs &&
      permissions.answer(conversation, ANSWERS[action], byOf(member), question);
    if (!given) {
      return await refuse(
        interaction,
        "That is not asked any more: it has its answer, or is over.",
      );
    }
    desk.audit("broker-button", {
      by: byOf(member),
      name: member.name,
      action,
      conversation,
      turn,
    });
    // The turn's next form has no buttons, and says who answered.
    await rest.respond(interaction, { kind: "defer-update" });
  }

  async function stuck(
    interaction: Press,
    action: "wait" | "stop",
    [conversation = "", turn = ""]: readonly string[],
  ): Promise<void> {
    const { member } = interaction;
    const one = broker.turns().find(({ id }) => id === turn);
    if (one === undefined || isOver(one.state)) {
      return await refuse(interaction, "That turn is over.");
    }
    if (action === "wait" && one.state.kind !== "stuck") {
      return await refuse(interaction, "The agent moves again already.");
    }
    if (action === "stop" && !stopped.isNew(turn)) {
      return await refuse(interaction, "It is being stopped already.");
    }
    const by = byOf(member);
    const told = action === "wait"
      ? broker.extend(conversation, by)
      : broker.cancel(conversation, by);
    if (!told.done) return await refuse(interaction, `${told.reason}.`);
    desk.audit("broker-button", { by, name: member.name, action, conversation, turn });
    await rest.respond(interaction, { kind: "defer-update" });
  }

  async function details(
    interaction: Press,
    [conversation = "", turn = "", question]: readonly string[],
  ): Promise<void> {
    const asked = question === undefined ? undefined : permissions.open(conversation);
    const failed = desk.state().failures[turn];
    const text = asked !== undefined && asked.question === question
      ? `${asked.title}\n\n${asked.detail}`.trim()
      : failed === undefined
      ? undefined
      : failureDetails(failed.failure) ?? failed.failure.message;
    const message = text === undefined
      ? privately(
        question === undefined
          ? "Nothing more is kept of that turn."
          : "That is not asked any more: it has its answer, or is over.",
      )
      : { ...shown(text), ephemeral: true };
    await rest.respond(interaction, { kind: "message", message });
  }

  return { answer, stuck, details };
}

/** All of it in the message, or its end there and all of it in a file. */
function shown(text: string): Outgoing {
  const whole = codeBlock(text);
  if (whole.length <= LIMITS.content) return { content: whole };
  return {
    content: ruleText("It is long; all of it is in the file."),
    files: [fileOf("details.txt", text)],
  };
}
