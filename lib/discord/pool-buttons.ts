import type { Clock } from "../base/clock.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import { decodeButton, encodeButton } from "./button-id.ts";
import type { Interaction } from "./gateway-event.ts";
import type { Id, Outgoing } from "./message.ts";
import type { PoolRight } from "./pool-access.ts";
import { createRecent } from "./recent.ts";
import type { DiscordRest } from "./rest.ts";
import { ruleText } from "./safe-text.ts";

export interface PoolButtonsParts {
  desk: Pick<PoolDesk, "stop" | "state">;
  mark: string;
  rest: Pick<DiscordRest, "respond" | "editResponse" | "send">;
  clock: Clock;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
  /** False: refused and told. */
  allowed(interaction: Interaction, right: PoolRight): Promise<boolean>;
  refuse(interaction: Interaction, why: string): Promise<void>;
  retry(interaction: Interaction, task: string): Promise<Outgoing>;
}

type Press = Extract<Interaction, { kind: "button" }>;

/** How long the question whether to end everything waits. */
const ASKED_MS = 15 * 60_000;

/** Buttons of the pool's posts; all that is needed stands in their ids, so that they outlive a restart. */
export function createPoolButtons(parts: PoolButtonsParts): {
  press(interaction: Press): Promise<void>;
  askToStop(interaction: Interaction, why: string): Promise<void>;
} {
  const { rest, clock, refuse } = parts;
  /** A second press of the same one is no second order. */
  const pressed = createRecent(500);

  async function press(interaction: Press): Promise<void> {
    const decoded = decodeButton(interaction.button);
    if (decoded === undefined || decoded.sweep !== parts.mark) {
      return await refuse(interaction, "This button belongs to another pool.");
    }
    const { action, args } = decoded;
    switch (action) {
      case "pool-retry":
        return await retry(interaction, args[0] ?? "");
      case "pool-stop":
        return await stop(interaction, args);
      case "pool-dont":
        return await dont(interaction, args[0] ?? "");
      default:
        return await refuse(interaction, "This button is of another version of herd.");
    }
  }

  /** What is refused leaves the button for others. */
  async function retry(interaction: Press, task: string): Promise<void> {
    const outcome = await parts.retry(interaction, task);
    const isDone = outcome.content?.startsWith("🔁") === true;
    if (!isDone) return await refuse(interaction, outcome.content ?? "It cannot be retried.");
    const { message, member } = interaction;
    const said = `${message.content}\n🔁 ${ruleText(member.name)} has it done again.`;
    // Where there is no room the button goes all the same.
    const content = said.length <= 2_000 ? { content: said } : {};
    await rest.respond(interaction, { kind: "update", message: { ...content, rows: [] } });
  }

  async function askToStop(interaction: Interaction, why: string): Promise<void> {
    const { userId } = interaction.member;
    const until = Math.floor((clock.now() + ASKED_MS) / 1000).toString(36);
    const make = (action: string, args: string[]) =>
      encodeButton({ action, sweep: parts.mark, args });
    // A reason that has no room is left out; the stop is not.
    const yes = make("pool-stop", [userId, until, why]) ?? make("pool-stop", [userId, until, ""]);
    const no = make("pool-dont", [userId]);
    if (yes === undefined || no === undefined) {
      return await refuse(
        interaction,
        "That has no room in Discord's buttons; use `herd pool stop`.",
      );
    }
    const running = [...parts.desk.state().tasks.values()]
      .filter(({ status }) => status === "running").length;
    const message: Outgoing = {
      content: `<@${userId}> wants to stop the pool now: no new work begins, and ` +
        `${running === 1 ? "the one running agent is" : `all ${running} running agents are`} ` +
        `ended at once. Do it?`,
      rows: [[
        { id: yes, label: "Yes, stop everything", style: "danger" },
        { id: no, label: "No", style: "secondary" },
      ]],
    };
    await rest.respond(interaction, { kind: "message", message });
  }

  async function stop(
    interaction: Press,
    [user = "", until = "", why = ""]: readonly string[],
  ): Promise<void> {
    if (!await parts.allowed(interaction, "operate")) return;
    if (!(parseInt(until, 36) * 1000 >= clock.now())) {
      return await close(interaction, "Nobody pressed it in time: the pool was not stopped.");
    }
    if (!pressed.isNew(interaction.message.id)) {
      return await refuse(interaction, "It was pressed already.");
    }
    const { member } = interaction;
    const by = `discord:${member.userId}`;
    const outcome = parts.desk.stop({ now: true, why }, by);
    parts.audit("pool-slash", {
      by,
      name: member.name,
      command: "pool stop now",
      asked: user,
      why,
    });
    await close(
      interaction,
      outcome.done
        ? `🛑 ${member.name} stopped the pool; every agent is being ended. \`/pool resume\` lets it go on.`
        : `${outcome.reason}.`,
    );
  }

  async function dont(interaction: Press, user: Id): Promise<void> {
    // Whoever asked may take it back, whatever happened to their rights.
    const isOwn = user === interaction.member.userId;
    if (!isOwn && !await parts.allowed(interaction, "operate")) return;
    if (!pressed.isNew(interaction.message.id)) {
      return await refuse(interaction, "It was pressed already.");
    }
    await close(interaction, `Not done, says ${interaction.member.name}.`);
  }

  async function close(interaction: Press, why: string): Promise<void> {
    const content = `${interaction.message.content}\n${ruleText(why)}`.slice(0, 1_990);
    await rest.respond(interaction, { kind: "update", message: { content, rows: [] } });
  }

  return { press, askToStop };
}
