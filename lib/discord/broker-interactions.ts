import { explain } from "../base/explain.ts";
import { conversationAt } from "../chat/conversation-list.ts";
import { loginHint } from "../chat/failure-text.ts";
import { usageTable } from "../chat/usage.ts";
import { mayTalk, placeOfInteraction } from "./broker-access.ts";
import { createBrokerChoosing, NO_CONVERSATION } from "./broker-choosing.ts";
import { BROKER_COMMANDS } from "./broker-commands.ts";
import { type BrokerDesk, byOf, type Command, type Press, privately } from "./broker-desk.ts";
import { createGrantsCommand } from "./broker-grants.ts";
import { createBrokerPresses } from "./broker-presses.ts";
import { createBrokerQuestions } from "./broker-questions.ts";
import { createRemindCommand } from "./broker-remind-command.ts";
import { createWaitsCommand } from "./broker-waits-command.ts";
import { createSessionCommand } from "./broker-session-command.ts";
import { createSteering } from "./broker-steering.ts";
import { whereamiText } from "./broker-whereami.ts";
import { decodeButton } from "./button-id.ts";
import { DiscordError } from "./discord-error.ts";
import type { Interaction } from "./gateway-event.ts";
import { LIMITS } from "./limits.ts";
import type { Outgoing } from "./message.ts";
import { fileOf } from "./post-view.ts";
import { answerWith } from "./reply.ts";
import { codeBlock, ruleText } from "./safe-text.ts";

/** Slash commands, buttons, menus and completions of a bot's conversations. */
export interface BrokerInteractions {
  /** Whether it is this bot's; then it is answered in time. Never throws. */
  handle(interaction: Interaction): boolean;
  /** Whether this bot has made the button, wherever it stands; or knows the command. */
  isOurs(interaction: Interaction): boolean;
}

type Completion = Extract<Interaction, { kind: "completion" }>;

/** What this version knows; of another's it is said. */
const ACTIONS: readonly string[] = [
  "allow",
  "always",
  "refuse",
  "wait",
  "stop",
  "details",
  "forget",
  "attach",
  "keep",
  "unremind",
  "revoke",
  "unwait",
  ...["models", "agents"].flatMap((kind) => [`pick-${kind}`, `turn-${kind}`]),
];

export function createBrokerInteractions(desk: BrokerDesk): BrokerInteractions {
  const { rest, broker } = desk;
  const questions = createBrokerQuestions(desk, refuse);
  const presses = createBrokerPresses(desk, { refuse, refused });
  const choosing = createBrokerChoosing(desk);
  const grants = createGrantsCommand(desk);
  const session = createSessionCommand(desk, { questions, grants }, refuse);
  const remind = createRemindCommand(desk);
  const steering = createSteering(desk, refuse);
  const waits = createWaitsCommand(desk);

  function isOurs(interaction: Interaction): boolean {
    if (interaction.kind !== "button") return BROKER_COMMANDS.includes(interaction.name);
    // A button of an earlier set-up of this bot has another mark: somebody else may know it.
    return decodeButton(interaction.button)?.sweep === desk.mark();
  }

  async function answer(interaction: Interaction): Promise<void> {
    try {
      if (interaction.kind === "completion") return await complete(interaction);
      if (interaction.kind === "button") return await press(interaction);
      // Whoever sets the bot up is not allowed yet.
      if (interaction.name === "whereami") return await whereami(interaction);
      if (await mayGoOn(interaction, interaction.name)) await command(interaction);
    } catch (error) {
      desk.log("warn", "Cannot answer an interaction", {
        kind: interaction.kind,
        error: `${error}`,
      });
      if (!(error instanceof DiscordError)) await apologize(interaction, error);
    }
  }

  async function complete(interaction: Completion): Promise<void> {
    const { member } = interaction;
    const ruling = mayTalk(desk.rules(), member, placeOfInteraction(interaction));
    const isSession = interaction.name === "session";
    const choices = ruling.may && isSession ? session.complete(interaction) : [];
    await rest.respond(interaction, { kind: "choices", choices });
  }

  async function press(interaction: Press): Promise<void> {
    const { action, args } = decodeButton(interaction.button)!;
    if (action === "allow" || action === "always" || action === "refuse") {
      // Those who may answer need not be those who may talk.
      return await presses.answer(interaction, action, args);
    }
    if (!ACTIONS.includes(action)) {
      return await refuse(interaction, "This button is of another version of herd.");
    }
    if (!await mayGoOn(interaction, action)) return;
    switch (action) {
      case "wait":
      case "stop":
        return await presses.stuck(interaction, action, args);
      case "details":
        return await presses.details(interaction, args);
      case "unremind":
        return await remind.drop(interaction, args);
      case "revoke":
        return await grants.revoke(interaction, args);
      case "unwait":
        return await dropWait(interaction, args);
      case "pick-models":
      case "pick-agents":
        return await choosing.pick(
          interaction,
          action === "pick-models" ? "models" : "agents",
          args,
        );
      case "turn-models":
      case "turn-agents":
        return await choosing.turn(
          interaction,
          action === "turn-models" ? "models" : "agents",
          args,
        );
      default:
        return await questions.press(interaction, action, args);
    }
  }

  async function command(interaction: Command): Promise<void> {
    switch (interaction.name) {
      case "models":
      case "agents":
        return await choosing.show(interaction, interaction.name);
      case "steer":
        return await steering.run(interaction);
      case "cancel":
      case "cancel-all":
        return await cancel(interaction, interaction.name === "cancel-all");
      case "reset":
        return await reset(interaction);
      case "session":
        return await session.run(interaction);
      case "remind":
        return await remind.run(interaction);
      case "waits":
        return await showWaits(interaction);
      case "cost":
        return await cost(interaction);
      case "auth":
        return await auth(interaction);
      default:
        return await refuse(interaction, `/${interaction.name} is of another version of herd.`);
    }
  }

  async function cancel(interaction: Command, all: boolean): Promise<void> {
    const one = conversationAt(desk.state(), interaction.channelId);
    if (one === undefined) return await refuse(interaction, NO_CONVERSATION);
    await answerWith(desk, interaction, () => {
      const { member, name } = interaction;
      const by = byOf(member);
      const waiting = one.waiting.length;
      const told = all ? broker.cancelAll(one.id, by) : broker.cancel(one.id, by);
      const message = told.done
        ? stopped(all, all ? waiting : 0, one.waiting.length)
        : privately(nothingRuns(waiting));
      if (told.done) {
        desk.audit("broker-command", {
          by,
          name: member.name,
          command: name,
          conversation: one.id,
        });
      }
      return Promise.resolve(message);
    });
  }

  async function reset(interaction: Command): Promise<void> {
    const one = conversationAt(desk.state(), interaction.channelId);
    if (one === undefined) return await refuse(interaction, NO_CONVERSATION);
    if (one.closed === "reset" && one.waiting.length === 0) {
      return await refuse(interaction, "The agent has forgotten this conversation already.");
    }
    await questions.askToReset(interaction, one.id);
  }

  async function showWaits(interaction: Command): Promise<void> {
    const one = conversationAt(desk.state(), interaction.channelId);
    if (one === undefined) return await refuse(interaction, NO_CONVERSATION);
    await waits.run(interaction, one.id);
  }

  async function dropWait(interaction: Press, args: readonly string[]): Promise<void> {
    const one = conversationAt(desk.state(), interaction.channelId);
    if (one === undefined) return await refuse(interaction, NO_CONVERSATION);
    await waits.drop(interaction, one.id, args);
  }

  async function cost(interaction: Command): Promise<void> {
    const by = interaction.options["by"] === "model" ? "model" : "day";
    const days = Math.min(
      Math.max(Math.trunc(Number(interaction.options["days"] ?? 7)) || 7, 1),
      366,
    );
    const lines = usageTable(desk.state().usage, { by, days, now: desk.clock.now() });
    const text = lines.length === 0 ? "Nothing was spent" : lines.join("\n");
    const block = codeBlock(text);
    const message = block.length <= LIMITS.content ? privately(block) : {
      ...privately("The table is long; it is in the file."),
      files: [fileOf("cost.txt", text)],
    };
    await rest.respond(interaction, { kind: "message", message });
  }

  async function whereami(interaction: Command): Promise<void> {
    const message = privately(whereamiText(desk.rules(), interaction));
    await rest.respond(interaction, { kind: "message", message });
  }

  /** Secrets never go through Discord: only where and how is told. */
  async function auth(interaction: Command): Promise<void> {
    if (interaction.guildId !== undefined) {
      return await refuse(interaction, "/auth works in direct messages with the bot only.");
    }
    const one = conversationAt(desk.state(), interaction.channelId);
    const agent = desk.agentOf(one);
    const known = agent === undefined ? "The agent" : `The agent ${ruleText(`"${agent}"`)}`;
    const content = `${known} runs on the machine where herd runs, with the account of herd. ` +
      `${loginHint(agent)}.\nNever write a key, a password or a code for it here: ` +
      "Discord keeps what is written.";
    await rest.respond(interaction, { kind: "message", message: privately(content) });
  }

  /** The same right as for a message; what is refused is told to nobody else. */
  async function mayGoOn(interaction: Command | Press, what: string): Promise<boolean> {
    const place = placeOfInteraction(interaction);
    const ruling = mayTalk(desk.rules(), interaction.member, place);
    if (!ruling.may) await refused(interaction, what, ruling.why);
    return ruling.may;
  }

  async function refused(interaction: Command | Press, what: string, why: string): Promise<void> {
    const { member } = interaction;
    desk.audit("refused", { by: byOf(member), name: member.name, command: what, why });
    await refuse(interaction, `${why}.`);
  }

  async function refuse(interaction: Interaction, why: string): Promise<void> {
    await rest.respond(interaction, { kind: "message", message: privately(ruleText(why)) });
  }

  async function apologize(interaction: Interaction, error: unknown): Promise<void> {
    if (interaction.kind === "completion") return;
    const message = privately(ruleText(`That did not work: ${explain(error, "terminal")}`));
    const { content = "" } = message;
    await rest.respond(interaction, { kind: "message", message })
      .catch(() => rest.editResponse(interaction.applicationId, interaction.token, { content }))
      .catch(() => {});
  }

  return {
    isOurs,
    handle(interaction) {
      if (!isOurs(interaction)) return false;
      void answer(interaction).catch((error) =>
        desk.log("info", "Cannot answer an interaction", { error: `${error}` })
      );
      return true;
    },
  };
}

/** Always says what it was that ended: in a sweep's channel the same word ends jobs. */
function stopped(all: boolean, dropped: number, left: number): Outgoing {
  if (!all) {
    const next = left === 0 ? "" : ` ${messages(left)} next; \`/cancel-all\` drops what waits.`;
    return privately(
      `🛑 The agent's turn in this conversation is ended; no job is touched.${next}`,
    );
  }
  // Others wait for an answer to what is dropped: they are told.
  const with_ = dropped === 0 ? "" : ` ${dropped === 1 ? "One message" : `${dropped} messages`} ` +
    "that waited will not be answered.";
  return {
    content: `🛑 The agent's turn in this conversation is ended; no job is touched.${with_}`,
    ...(dropped === 0 ? { ephemeral: true } : {}),
  };
}

function nothingRuns(waiting: number): string {
  return waiting === 0
    ? "Nothing runs in this conversation."
    : "Nothing runs in this conversation yet; `/cancel-all` drops what waits.";
}

function messages(count: number): string {
  return count === 1 ? "One message that waits is" : `${count} messages that wait are`;
}
