import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import type { PoolDesk, WishOverrides, WorkerStatus } from "../tasks/pool-desk.ts";
import type { WorkerVia } from "../tasks/pool-event.ts";
import type { TaskStatus } from "../tasks/task.ts";
import { decodeButton } from "./button-id.ts";
import { DiscordError } from "./discord-error.ts";
import type { Interaction, OptionValue } from "./gateway-event.ts";
import type { Id, Outgoing } from "./message.ts";
import type { PoolAccess, PoolRight } from "./pool-access.ts";
import { createPoolAnswers } from "./pool-answers.ts";
import { createPoolButtons } from "./pool-buttons.ts";
import { POOL_COMMANDS } from "./pool-commands.ts";
import { poolCompletions } from "./pool-completions.ts";
import { originText, span } from "./pool-text.ts";
import { answerWith } from "./reply.ts";
import type { DiscordRest } from "./rest.ts";
import { codeBlock, ruleText } from "./safe-text.ts";

export interface PoolInteractionsParts {
  desk: PoolDesk;
  status(worker: string): WorkerStatus;
  /** The table of `herd cost`, of so many days up to today. */
  costText(by: "day" | "model" | "worker", days: number): string;
  mark: string;
  access: PoolAccess;
  rest: Pick<DiscordRest, "respond" | "editResponse" | "send">;
  clock: Clock;
  queueId(): Id | undefined;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Slash commands, buttons and completions of the pool. */
export interface PoolInteractions {
  /** Whether it is the pool's; then it is answered in time. Never throws. */
  handle(interaction: Interaction): boolean;
}

export type Command = Extract<Interaction, { kind: "command" }>;
type Options = Readonly<Record<string, OptionValue>>;

const OVERRIDES = ["model", "thinking", "worker", "timeout", "priority", "sandbox", "key"] as const;
const OVERRIDE_KEYS: Readonly<Record<(typeof OVERRIDES)[number], keyof WishOverrides>> = {
  model: "model",
  thinking: "thinking",
  worker: "worker",
  timeout: "timeoutMs",
  priority: "priority",
  sandbox: "sandbox",
  key: "key",
};

/** Whether a command, a completion or a button is the pool's and no sweep's. */
export function isPools(interaction: Interaction): boolean {
  if (interaction.kind !== "button") return POOL_COMMANDS.includes(interaction.name);
  return decodeButton(interaction.button)?.action.startsWith("pool-") === true;
}

export function createPoolInteractions(parts: PoolInteractionsParts): PoolInteractions {
  const { desk, rest, access } = parts;
  const answers = createPoolAnswers({ desk, status: parts.status, now: () => parts.clock.now() });
  const buttons = createPoolButtons({ ...parts, allowed, refuse, retry });

  async function answer(interaction: Interaction): Promise<void> {
    try {
      if (interaction.kind === "completion") return await complete(interaction);
      if (interaction.kind === "button") return await buttons.press(interaction);
      await command(interaction);
    } catch (error) {
      parts.log("warn", "Cannot answer an interaction", {
        kind: interaction.kind,
        error: `${error}`,
      });
      if (!(error instanceof DiscordError)) await apologize(interaction, error);
    }
  }

  async function complete(
    interaction: Extract<Interaction, { kind: "completion" }>,
  ): Promise<void> {
    const ruling = await access.rule(interaction.member, "look", interaction.channelId);
    const choices = ruling.may ? poolCompletions(desk, interaction) : [];
    await rest.respond(interaction, { kind: "choices", choices });
  }

  function command(interaction: Command): Promise<void> {
    const { name, sub, options } = interaction;
    switch (sub === undefined ? name : `${name} ${sub}`) {
      case "task submit":
        return submit(interaction, options);
      case "task list":
        return look(interaction, () => answers.list(textIn(options, "status") as TaskStatus));
      case "task show":
        return look(interaction, () => answers.show(idIn(options)) ?? noTask(idIn(options)));
      case "task cancel":
        return cancel(interaction, options);
      case "task retry":
        return act(interaction, "submit", () => retry(interaction, idIn(options)));
      case "pool status":
        return look(interaction, answers.status);
      case "pool drain":
        return drain(interaction, textIn(options, "worker") ?? "", true);
      case "pool resume":
        return resume(interaction, textIn(options, "worker"));
      case "pool stop":
        return stop(interaction, options);
      case "pool scale":
        return scale(interaction, options);
      case "pool enrol":
        return enrol(interaction, options);
      case "cost":
        return look(interaction, () => cost(options));
      case "models":
        return look(interaction, answers.models);
      default:
        return refuse(interaction, `/${name} is of another version of herd here.`);
    }
  }

  async function submit(interaction: Command, options: Options): Promise<void> {
    if (!await allowed(interaction, "submit")) return;
    await answerWith(parts, interaction, () => Promise.resolve(submitted(interaction, options)));
  }

  function submitted(interaction: Command, options: Options): Outgoing {
    const { member, channelId, id } = interaction;
    const overrides = Object.fromEntries(OVERRIDES.flatMap((name) => {
      const value = textIn(options, name);
      return value === undefined ? [] : [[OVERRIDE_KEYS[name], value]];
    })) as WishOverrides;
    const origin = { kind: "slash", by: byOf(interaction), name: member.name, channelId } as const;
    // An interaction that is told twice is one task.
    const found = desk.submit(textIn(options, "text") ?? "", overrides, origin, `discord-${id}`);
    if ("refused" in found) {
      const lines = found.refused.slice(0, 8).map((one) => `- ${ruleText(one.slice(0, 400))}.`);
      return { content: `❌ That is not a task yet:\n${lines.join("\n")}`.slice(0, 1_900) };
    }
    const { task, isNew } = found;
    told(interaction, "task submit", { task: task.id, isNew });
    const place = channelId === parts.queueId() ? "in the results" : "here and in the results";
    return {
      content: isNew
        ? `👀 Task ${span(task.id)} is stored; its end is told ${place}.`
        : `Task ${span(task.id)} is there already and is ${task.status}.`,
    };
  }

  async function cancel(interaction: Command, options: Options): Promise<void> {
    const why = textIn(options, "why") ?? `${interaction.member.name} said so`;
    await act(interaction, "submit", async () => {
      const id = idIn(options);
      const refusal = await notTheirs(interaction, id);
      if (refusal !== undefined) return refusal;
      return outcome(
        interaction,
        "task cancel",
        { task: id },
        desk.cancel(id, why, byOf(interaction)),
        `🛑 Task ${span(id)} is cancelled.`,
      );
    });
  }

  async function retry(interaction: Interaction, id: string): Promise<Outgoing> {
    const refusal = await notTheirs(interaction, id);
    return refusal ?? outcome(
      interaction,
      "task retry",
      { task: id },
      desk.retry(id, byOf(interaction)),
      `🔁 Task ${span(id)} is offered again.`,
    );
  }

  /** Authors rule over their own tasks, operators over all. */
  async function notTheirs(interaction: Interaction, id: string): Promise<Outgoing | undefined> {
    const task = desk.state().tasks.get(id);
    if (task === undefined) return noTask(id);
    if (task.origin.by === byOf(interaction)) return undefined;
    const ruling = await access.rule(interaction.member, "operate");
    if (ruling.may) return undefined;
    refused(interaction, `task ${id}`, ruling.why);
    return {
      content: `That task is of ${ruleText(originText(task.origin))}. ${ruleText(ruling.why)}.`,
      ephemeral: true,
    };
  }

  function drain(interaction: Command, worker: string, drains: boolean): Promise<void> {
    return act(interaction, "operate", () =>
      outcome(
        interaction,
        drains ? "pool drain" : "pool resume",
        { worker },
        desk.drain(worker, drains, byOf(interaction)),
        drains
          ? `🟡 Worker ${span(worker)} finishes what it has and takes nothing new.`
          : `🟢 Worker ${span(worker)} takes tasks again.`,
      ));
  }

  function resume(interaction: Command, worker: string | undefined): Promise<void> {
    if (worker !== undefined) return drain(interaction, worker, false);
    return act(interaction, "operate", () =>
      outcome(
        interaction,
        "pool resume",
        {},
        desk.resume(byOf(interaction)),
        "🟢 The pool goes on.",
      ));
  }

  async function stop(interaction: Command, options: Options): Promise<void> {
    const why = textIn(options, "why") ?? "";
    if (options["now"] === true) {
      if (await allowed(interaction, "operate")) await buttons.askToStop(interaction, why);
      return;
    }
    await act(interaction, "operate", () =>
      outcome(
        interaction,
        "pool stop",
        { why },
        desk.stop({ now: false, why }, byOf(interaction)),
        "🛑 No new work begins; what runs goes on. `/pool resume` takes it back.",
      ));
  }

  async function scale(interaction: Command, options: Options): Promise<void> {
    const [slurm, least, most] = ["slurm", "min", "max"].map((name) =>
      typeof options[name] === "number" ? options[name] : undefined
    );
    if (slurm === undefined && least === undefined && most === undefined) {
      return await refuse(interaction, "Say how many: slurm:4, or min:0 max:8.");
    }
    const wish = { slurm, least, most, partition: textIn(options, "partition") };
    await act(interaction, "operate", () => {
      const done = desk.scale(wish, byOf(interaction));
      const { least: from, most: to } = desk.state().scale ?? { least: 0, most: 0 };
      const said = to === 0
        ? "Workers in SLURM finish what they have and end."
        : from === to
        ? `${to} workers are kept in SLURM; \`/pool status\` shows their jobs.`
        : `${from} to ${to} workers are kept in SLURM, by what waits; \`/pool status\` shows them.`;
      return outcome(interaction, "pool scale", { ...wish }, done, said);
    });
  }

  /** The code is for one person's eyes. */
  async function enrol(interaction: Command, options: Options): Promise<void> {
    if (!await allowed(interaction, "operate")) return;
    const name = textIn(options, "name") ?? "";
    const labels = (textIn(options, "labels") ?? "").split(/[\s,]+/).filter((one) => one !== "");
    const via = (textIn(options, "via") ?? "http") as WorkerVia;
    await answerWith(parts, interaction, async () => {
      const by = byOf(interaction);
      const found = via === "discord" && desk.inviteByMail !== undefined
        ? await desk.inviteByMail({ name, labels }, by)
        : desk.invite({ name, labels, via }, by);
      if ("refused" in found) return { content: `${ruleText(found.refused)}.` };
      told(interaction, "pool enrol", { worker: name, labels, via });
      const how = "enrolled" in found
        ? "is enrolled. On a machine that shares the pool's file system"
        : `joins with this code, once, within ${found.minutes} minutes. On its machine`;
      return { content: `Worker ${span(name)} ${how}:\n${codeBlock(found.command)}` };
    }, { ephemeral: true });
  }

  function cost(options: Options): Outgoing {
    const by = textIn(options, "by") ?? "day";
    const days = Number(options["days"] ?? 7);
    const text = parts.costText(by as "day" | "model" | "worker", days);
    const shown = codeBlock(text.slice(0, 1_850));
    if (text.length <= 1_850 && shown.length <= 1_950) return { content: shown };
    const bytes = new TextEncoder().encode(text);
    return {
      content: `What the pool's agents have cost by ${by}:`,
      files: [{ name: "cost.txt", bytes, contentType: "text/plain; charset=utf-8" }],
    };
  }

  async function look(interaction: Command, work: () => Outgoing): Promise<void> {
    if (!await allowed(interaction, "look")) return;
    await answerWith(parts, interaction, () => Promise.resolve().then(work), { ephemeral: true });
  }

  async function act(
    interaction: Command,
    right: PoolRight,
    work: () => Outgoing | Promise<Outgoing>,
  ): Promise<void> {
    // Who may do all may do this.
    const ruling = await access.rule(interaction.member, right);
    const may = ruling.may ||
      (right === "submit" && (await access.rule(interaction.member, "operate")).may);
    if (!may && !await allowed(interaction, right)) return;
    await answerWith(parts, interaction, () => Promise.resolve().then(work));
  }

  function outcome(
    interaction: Interaction,
    what: string,
    facts: Readonly<Record<string, unknown>>,
    done: { done: true } | { done: false; reason: string },
    text: string,
  ): Outgoing {
    if (!done.done) return { content: `${ruleText(done.reason)}.`.slice(0, 1_900) };
    told(interaction, what, facts);
    return { content: text };
  }

  async function allowed(interaction: Interaction, right: PoolRight): Promise<boolean> {
    const ruling = await access.rule(interaction.member, right, interaction.channelId);
    if (ruling.may) return true;
    refused(interaction, right, ruling.why);
    await refuse(interaction, `${ruling.why}.`);
    return false;
  }

  function told(
    interaction: Interaction,
    command: string,
    facts: Readonly<Record<string, unknown>>,
  ): void {
    const { name } = interaction.member;
    parts.audit("pool-slash", { by: byOf(interaction), name, command, ...facts });
  }

  function refused(interaction: Interaction, command: string, why: string): void {
    const { name } = interaction.member;
    parts.audit("refused", { by: byOf(interaction), name, command, why });
  }

  async function refuse(interaction: Interaction, why: string): Promise<void> {
    const content = ruleText(why).slice(0, 1_900);
    await rest.respond(interaction, { kind: "message", message: { content, ephemeral: true } });
  }

  async function apologize(interaction: Interaction, error: unknown): Promise<void> {
    if (interaction.kind === "completion") return;
    const content = ruleText(`That did not work: ${explain(error, "terminal")}`).slice(0, 1_900);
    await rest.respond(interaction, { kind: "message", message: { content, ephemeral: true } })
      .catch(() => rest.editResponse(interaction.applicationId, interaction.token, { content }))
      .catch(() => {});
  }

  return {
    handle(interaction) {
      if (!isPools(interaction)) return false;
      void answer(interaction).catch((error) =>
        parts.log("info", "Cannot answer an interaction", { error: `${error}` })
      );
      return true;
    },
  };
}

function byOf({ member }: Interaction): string {
  return `discord:${member.userId}`;
}

function textIn(options: Options, name: string): string | undefined {
  const value = options[name];
  return value === undefined || `${value}`.trim() === "" ? undefined : `${value}`.trim();
}

/** As people type it, with or without the signs around it. */
function idIn(options: Options): string {
  return (textIn(options, "id") ?? "").replace(/^`|`$/g, "");
}

function noTask(id: string): Outgoing {
  return { content: `There is no task ${span(id)}; \`/task list\` lists them.`, ephemeral: true };
}
