import { REMINDER_LIMITS, reminderLine } from "../chat/reminders.ts";
import { type BrokerDesk, byOf, type Command, type Press, privately } from "./broker-desk.ts";
import { encodeButton } from "./button-id.ts";
import type { Button, Outgoing } from "./message.ts";
import { ruleText } from "./safe-text.ts";

/** `/remind`: sets one, or lists the person's own with buttons to drop them. */
export function createRemindCommand(desk: BrokerDesk) {
  const { rest, reminders } = desk;

  function list(user: string, said = ""): Outgoing {
    const own = reminders.of(user);
    if (own.length === 0) {
      return { content: `${said}You have no reminders.`, rows: [], ephemeral: true };
    }
    const lines = own.map((one, i) => `${i + 1}. ${reminderLine(one)}`);
    const row = own.slice(0, REMINDER_LIMITS.perPerson).flatMap(({ id }, i): Button[] => {
      const button = encodeButton({ action: "unremind", sweep: desk.mark(), args: [id] });
      return button === undefined
        ? []
        : [{ id: button, label: `Drop ${i + 1}`, style: "secondary" }];
    });
    return { ...privately(`${said}${lines.join("\n")}`), rows: row.length === 0 ? [] : [row] };
  }

  function set({ id, member, channelId, options }: Command): Outgoing {
    const made = reminders.set({
      id,
      by: member.userId,
      when: String(options["when"] ?? ""),
      text: String(options["text"] ?? ""),
      who: String(options["who"] ?? ""),
      channelId,
    });
    if ("refused" in made) return privately(`${ruleText(made.refused)}.`);
    const { dueAt, targets } = made.reminder;
    desk.audit("broker-command", {
      by: byOf(member),
      name: member.name,
      command: "remind",
      dueAt: new Date(dueAt).toISOString(),
      targets,
    });
    const seconds = Math.floor(dueAt / 1000);
    const who = targets.length === 1 && targets[0] === member.userId
      ? "you are"
      : `${targets.map((one) => `<@${one}>`).join(", ")} ${targets.length === 1 ? "is" : "are"}`;
    return privately(`⏰ <t:${seconds}:R>, at <t:${seconds}:f>, ${who} told here.`);
  }

  return {
    async run(interaction: Command): Promise<void> {
      const { when, text, who } = interaction.options;
      const isEmpty = [when, text, who].every((one) => one === undefined);
      const message = isEmpty ? list(interaction.member.userId) : set(interaction);
      await rest.respond(interaction, { kind: "message", message });
    },
    async drop(interaction: Press, [id = ""]: readonly string[]): Promise<void> {
      const isDropped = reminders.drop(id, interaction.member.userId);
      const said = isDropped ? "It is dropped.\n" : "That one is over already.\n";
      const message = list(interaction.member.userId, said);
      await rest.respond(interaction, { kind: "update", message });
    },
  };
}
