import { explain } from "../base/explain.ts";
import type { Right } from "./access.ts";
import type { Interaction } from "./gateway-event.ts";
import type { Outgoing } from "./message.ts";
import { span } from "./pool-text.ts";
import { answerWith } from "./reply.ts";
import type { ReplyParts } from "./reply.ts";
import type { DiscordRest } from "./rest.ts";
import { ruleText } from "./safe-text.ts";
import { changeRow } from "./trial-help.ts";
import type { TrialHelp } from "./trial-help.ts";

export interface HelpButtonsParts extends ReplyParts {
  rest: Pick<DiscordRest, "respond" | "editResponse" | "send" | "followUp">;
  /** The mark of the sweep's channel. */
  sweep: string;
  help: TrialHelp | undefined;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  /** False: refused and told. */
  allowed(interaction: Interaction, right: Right, what: string): Promise<boolean>;
  refuse(interaction: Interaction, why: string): Promise<void>;
}

type Press = Extract<Interaction, { kind: "button" }>;

/** What people ask of the pool's agents in a sweep's channel, and decide about their proposals. */
export interface HelpButtons {
  look(interaction: Interaction, trial: number, text: string | undefined): Promise<void>;
  decide(interaction: Press, decision: "apply" | "dismiss", args: readonly string[]): Promise<void>;
}

const NO_POOL = "No pool of agents runs here now; `herd pool start` starts one.";

export function createHelpButtons(parts: HelpButtonsParts): HelpButtons {
  const { help, rest, refuse, allowed } = parts;

  async function look(
    interaction: Interaction,
    trial: number,
    text: string | undefined,
  ): Promise<void> {
    if (!await allowed(interaction, "look", "agent")) return;
    if (help?.isOpen() !== true) return await refuse(interaction, NO_POOL);
    const { member, channelId } = interaction;
    const ruling = await help.rule(member);
    // A pool without rules of its own works for those who operate the sweep.
    if (ruling === undefined && !await allowed(interaction, "act", "agent")) return;
    if (ruling?.may === false) {
      const by = `discord:${member.userId}`;
      parts.audit("refused", { by, name: member.name, command: "agent", trial, why: ruling.why });
      return await refuse(interaction, `${ruling.why}.`);
    }
    await answerWith(parts, interaction, async () => {
      try {
        const kind = interaction.kind === "button" ? "button" : "slash";
        const made = await help.ask({ trial, text }, {
          kind,
          by: `discord:${member.userId}`,
          name: member.name,
          channelId,
          ...(interaction.kind === "button" ? { messageId: interaction.message.id } : {}),
        });
        if ("refused" in made) return says(`${made.refused.join("; ")}.`);
        const { id, status } = made.task;
        parts.audit("agent-asked", { by: `discord:${member.userId}`, trial, task: id });
        return says(
          made.isNew
            ? `An agent will look at trial ${trial}: task ${span(id)}. Its answer comes into the ` +
              "trial's thread."
            : `That was asked before: task ${span(id)} is ${status}. \`/task show\` tells more, ` +
              "`/task retry` has one that ended otherwise done again.",
        );
      } catch (error) {
        return says(`That did not work: ${explain(error, "terminal")}`);
      }
    }, { ephemeral: true });
  }

  /** The buttons go first, so that nobody presses twice; they come back when it stays open. */
  async function decide(
    interaction: Press,
    decision: "apply" | "dismiss",
    [task = "", epoch = ""]: readonly string[],
  ): Promise<void> {
    if (!await allowed(interaction, "act", `${decision} change`)) return;
    if (help?.isOpen() !== true) return await refuse(interaction, NO_POOL);
    const { member, message, applicationId, token } = interaction;
    await rest.respond(interaction, {
      kind: "update",
      message: { content: message.content, rows: [] },
    });
    const done = await help[decision](task, Number(epoch), `discord:${member.userId}`)
      .catch((error) => ({ done: false as const, reason: explain(error, "terminal") }));
    if (done.done) {
      const how = decision === "apply" ? "✅ Applied" : "🗑️ Dismissed";
      const said = `${message.content}\n${how} by ${ruleText(member.name)}.`;
      // Where there is no room, the post that follows says it.
      const content = said.length <= 2_000 ? said : message.content;
      await rest.editResponse(applicationId, token, { content, rows: [] });
      return;
    }
    const isOver = "over" in done && done.over === true;
    const row = isOver ? [] : changeRow(task, Number(epoch), parts.sweep);
    if (row.length > 0) {
      await rest.editResponse(applicationId, token, { content: message.content, rows: [row] });
    }
    await rest.followUp(applicationId, token, { ...says(`${done.reason}.`), ephemeral: true });
  }

  return { look, decide };
}

function says(text: string): Outgoing {
  return { content: ruleText(text).slice(0, 1_900) };
}
