import type { Desk } from "../actions/desk.ts";
import type { Clock } from "../base/clock.ts";
import { explain } from "../base/explain.ts";
import { checkSlash } from "../slash/parse.ts";
import type { ParsedSlash } from "../slash/parse.ts";
import { findSlash } from "../slash/table.ts";
import type { Right } from "./access.ts";
import { decodeButton } from "./button-id.ts";
import type { HelpButtons } from "./create-help-buttons.ts";
import type { Interaction } from "./gateway-event.ts";
import type { LoginForm } from "./login-form.ts";
import type { Id, Outgoing } from "./message.ts";
import { answerWith } from "./reply.ts";
import type { DiscordRest } from "./rest.ts";
import { ruleText } from "./safe-text.ts";

export interface ButtonsParts {
  desk: Desk;
  sweep: string;
  rest: Pick<DiscordRest, "respond" | "editResponse" | "followUp" | "send" | "edit">;
  clock: Clock;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
  onShow(page: number | undefined): Promise<void>;
  openThread(trial: number, from: Id | undefined): Promise<Id>;
  refuse(interaction: Interaction, why: string): Promise<void>;
  /** False: refused and told. */
  allowed(interaction: Interaction, right: Right, what: string): Promise<boolean>;
  run(interaction: Interaction, parsed: ParsedSlash): Promise<Outgoing>;
  helping: HelpButtons;
  login: LoginForm;
}

type Press = Extract<Interaction, { kind: "button" }>;

/** A nervous finger redraws it once. */
const COOL_DOWN_MS = 5_000;

/** What happens when a button of a sweep's channel is pressed; all that is needed stands in its id. */
export function createButtons(parts: ButtonsParts): { press(interaction: Press): Promise<void> } {
  const { rest, clock, refuse, allowed } = parts;
  let shownAt = -Infinity;
  /** Of this life; a second press of the same one is no second order. */
  const pressed = new Set<Id>();

  async function press(interaction: Press): Promise<void> {
    const decoded = decodeButton(interaction.button);
    if (decoded === undefined) {
      return await refuse(
        interaction,
        "This button is of another version of herd; /help lists what there is.",
      );
    }
    if (decoded.sweep !== parts.sweep) {
      return await refuse(interaction, "This button belongs to another sweep.");
    }
    const { action, args } = decoded;
    const [first = ""] = args;
    switch (action) {
      case "page":
      case "refresh":
        return await show(interaction, action === "page" ? Number(first) : undefined);
      case "log":
        return await look(interaction, { command: "tail", args: [first] });
      case "thread":
        return await thread(interaction, Number(first));
      case "again":
        return await act(interaction, { command: "run", args: [first] });
      case "failed":
        return await act(interaction, { command: "run_all", args: [] });
      case "continue":
        return await act(interaction, { command: "continue", args: [] });
      case "confirm":
      case "deny":
        return await decide(interaction, { command: action, args: [first] });
      case "agent":
        return await parts.helping.look(interaction, Number(first), undefined);
      case "apply":
      case "dismiss":
        return await parts.helping.decide(interaction, action, args);
      case "login":
        return await parts.login.open(interaction, first);
      case "login-code":
        return await parts.login.take(interaction, first);
      case "do":
        return await doIt(interaction, args);
      case "dont":
        return await dont(interaction, first);
      default:
        return await refuse(interaction, "This button is of a newer version of herd.");
    }
  }

  async function show(interaction: Press, page: number | undefined): Promise<void> {
    if (!await allowed(interaction, "look", "dashboard")) return;
    const wait = shownAt + COOL_DOWN_MS - clock.now();
    if (page === undefined && wait > 0) {
      return await refuse(
        interaction,
        `It was drawn just now; again in ${Math.ceil(wait / 1000)} s.`,
      );
    }
    shownAt = clock.now();
    await rest.respond(interaction, { kind: "defer-update" });
    await parts.onShow(page);
  }

  async function look(interaction: Press, parsed: ParsedSlash): Promise<void> {
    if (!await allowed(interaction, "look", parsed.command)) return;
    await answerWith(parts, interaction, () => parts.run(interaction, parsed), { ephemeral: true });
  }

  async function thread(interaction: Press, trial: number): Promise<void> {
    if (!await allowed(interaction, "look", "thread")) return;
    await answerWith(parts, interaction, async () => {
      try {
        return { content: `<#${await parts.openThread(trial, interaction.message.id)}>` };
      } catch (error) {
        return { content: ruleText(explain(error, "terminal")) };
      }
    }, { ephemeral: true });
  }

  async function act(interaction: Press, parsed: ParsedSlash): Promise<void> {
    if (!await allowed(interaction, "act", parsed.command)) return;
    await answerWith(parts, interaction, () => parts.run(interaction, parsed));
  }

  /** A person's word on what the agent asked for; the message says afterwards who gave it. */
  async function decide(interaction: Press, parsed: ParsedSlash): Promise<void> {
    if (!await allowed(interaction, "act", parsed.command)) return;
    if (!once(interaction)) return await refuse(interaction, "It was pressed already.");
    await finish(interaction, parsed);
  }

  async function doIt(interaction: Press, [user, until = "", ...words]: readonly string[]) {
    const [command = "", ...args] = words;
    if (!await allowed(interaction, "act", command)) return;
    const known = findSlash(command);
    const parsed = known === undefined
      ? { mistake: "This button is of another version of herd." }
      : checkSlash({ command: known.name, args });
    if ("mistake" in parsed) return await close(interaction, parsed.mistake);
    if (parseInt(until, 36) * 1000 < clock.now()) {
      return await close(interaction, `Nobody pressed it in time: /${command} was not done.`);
    }
    if (!once(interaction)) return await refuse(interaction, "It was pressed already.");
    parts.log("info", "A button was pressed", {
      command,
      asked: user,
      by: interaction.member.userId,
    });
    await finish(interaction, parsed);
  }

  async function dont(interaction: Press, user: string): Promise<void> {
    // Whoever asked may take it back, whatever happened to their rights.
    const isOwn = user === interaction.member.userId;
    if (!isOwn && !await allowed(interaction, "act", "no")) return;
    if (!once(interaction)) return await refuse(interaction, "It was pressed already.");
    await close(interaction, `Not done, says ${interaction.member.name}.`);
  }

  /** The buttons go first, so that nobody presses twice; what came of it follows. */
  async function finish(interaction: Press, parsed: ParsedSlash): Promise<void> {
    const { message, member } = interaction;
    const asked = message.content;
    await rest.respond(interaction, {
      kind: "update",
      message: { content: cut(`${asked}\n⏳ ${ruleText(member.name)} answered.`), rows: [] },
    });
    const outcome = await parts.run(interaction, parsed);
    const said = {
      ...outcome,
      content: cut(`${asked}\n${ruleText(member.name)}: ${outcome.content ?? ""}`),
    };
    try {
      await rest.editResponse(interaction.applicationId, interaction.token, { ...said, rows: [] });
    } catch (error) {
      parts.log("info", "Cannot say in its place what came of a button", { error: `${error}` });
      await rest.send(interaction.channelId, outcome);
    }
  }

  async function close(interaction: Press, why: string): Promise<void> {
    const content = cut(`${interaction.message.content}\n${ruleText(why)}`);
    await rest.respond(interaction, { kind: "update", message: { content, rows: [] } });
  }

  function once({ message }: Press): boolean {
    if (pressed.has(message.id)) return false;
    pressed.add(message.id);
    if (pressed.size > 500) pressed.delete(pressed.values().next().value!);
    return true;
  }

  return { press };
}

function cut(text: string): string {
  return text.length <= 1_990 ? text : `${text.slice(0, 1_989).replace(/[\ud800-\udbff]$/, "")}…`;
}
