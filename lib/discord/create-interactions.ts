import type { Desk } from "../actions/desk.ts";
import type { Clock } from "../base/clock.ts";
import { checkSlash } from "../slash/parse.ts";
import type { ParsedSlash } from "../slash/parse.ts";
import { runSlash } from "../slash/run.ts";
import { findSlash } from "../slash/table.ts";
import { explain } from "../base/explain.ts";
import { parseIndexSpec } from "../sweep/index-spec.ts";
import type { Access, Right } from "./access.ts";
import { argumentsOf } from "./command-arguments.ts";
import { completionsFor } from "./completions.ts";
import { createButtons } from "./create-buttons.ts";
import type { DrawPlot, PlotRequest } from "./draw-plot.ts";
import { createHelpButtons } from "./create-help-buttons.ts";
import { DiscordError } from "./discord-error.ts";
import { encodeButton } from "./button-id.ts";
import { whatItEnds } from "./destructive.ts";
import type { Interaction } from "./gateway-event.ts";
import { createLoginForm, type GiveCode } from "./login-form.ts";
import type { Id, Outgoing } from "./message.ts";
import { viewOfSlash } from "./post-view.ts";
import { answerWith } from "./reply.ts";
import type { DiscordRest } from "./rest.ts";
import { ruleText } from "./safe-text.ts";
import type { TrialHelp } from "./trial-help.ts";

export interface InteractionsParts {
  desk: Desk;
  /** The mark of the sweep's channel. */
  sweep: string;
  access: Access;
  rest: Pick<DiscordRest, "respond" | "editResponse" | "followUp" | "send" | "edit">;
  draw: DrawPlot;
  clock: Clock;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
  /** Draws the dashboard, on this page where one is given. */
  onShow(page: number | undefined): Promise<void>;
  openThread(trial: number, from: Id | undefined): Promise<Id>;
  /** The pool's agents, where there may be some. */
  help?: TrialHelp | undefined;
  giveCode?: GiveCode | undefined;
}

/** How long a question whether to do something waits. */
const ASKED_MS = 15 * 60_000;
/** Commands whose answer is for the one who asked. */
const PRIVATE = ["help"];

export interface Interactions {
  /** Never throws. */
  handle(interaction: Interaction): Promise<void>;
}

/** Slash commands, buttons and completions of a sweep's channel. No model is called for any of them. */
export function createInteractions(parts: InteractionsParts): Interactions {
  const { desk, rest, clock, access } = parts;
  const helping = createHelpButtons({ ...parts, help: parts.help, refuse, allowed });
  const login = createLoginForm({ ...parts, giveCode: parts.giveCode, refuse, allowed });
  const buttons = createButtons({ ...parts, refuse, allowed, run, helping, login });

  async function handle(interaction: Interaction): Promise<void> {
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
    const ruling = await access.rule(interaction.member, "look");
    const choices = ruling.may ? completionsOrNone(interaction) : [];
    await rest.respond(interaction, { kind: "choices", choices });
  }

  function completionsOrNone(interaction: Extract<Interaction, { kind: "completion" }>) {
    try {
      return completionsFor(desk, interaction);
    } catch (error) {
      parts.log("info", "Cannot complete", { error: `${error}` });
      return [];
    }
  }

  async function command(interaction: Extract<Interaction, { kind: "command" }>): Promise<void> {
    const { name, options } = interaction;
    if (name === "plot") {
      if (await allowed(interaction, "look", name)) await plot(interaction);
      return;
    }
    if (name === "thread") {
      if (await allowed(interaction, "look", name)) await thread(interaction);
      return;
    }
    if (name === "look") {
      const { trial, text } = options;
      const words = typeof text === "string" && text.trim() !== "" ? text : undefined;
      return await helping.look(interaction, Number(trial), words);
    }
    const known = findSlash(name);
    if (known === undefined) {
      return await refuse(
        interaction,
        `/${name} is of another version of herd; /help lists what there is.`,
      );
    }
    if (!await allowed(interaction, known.acts ? "act" : "look", name, options)) return;
    const parsed = checkSlash({ command: known.name, args: argumentsOf(known, options) });
    if ("mistake" in parsed) return await refuse(interaction, parsed.mistake);
    const ends = endsOf(parsed);
    if (ends !== undefined && "mistake" in ends) return await refuse(interaction, ends.mistake);
    if (ends !== undefined) return await ask(interaction, parsed, ends.what);
    await answerWith(
      parts,
      interaction,
      async () => await run(interaction, parsed),
      { ephemeral: PRIVATE.includes(known.name) },
    );
    if (known.name === "status") await parts.onShow(undefined).catch(() => {});
  }

  function endsOf(parsed: ParsedSlash): { what: string } | { mistake: string } | undefined {
    try {
      const what = whatItEnds(desk, parsed);
      return what === undefined ? undefined : { what };
    } catch (error) {
      return { mistake: explain(error, "terminal") };
    }
  }

  async function run(
    { member }: Pick<Interaction, "member">,
    parsed: ParsedSlash,
  ): Promise<Outgoing> {
    const by = `discord:${member.userId}`;
    if (findSlash(parsed.command)?.acts === true) {
      parts.audit("slash", { by, name: member.name, command: parsed.command, args: parsed.args });
    }
    return viewOfSlash(await runSlash(desk, parsed, by, clock));
  }

  /** All that is needed to do it stands in the buttons: they work after a restart. */
  async function ask(
    interaction: Extract<Interaction, { kind: "command" }>,
    { command, args }: ParsedSlash,
    what: string,
  ): Promise<void> {
    const until = Math.floor((clock.now() + ASKED_MS) / 1000).toString(36);
    const { userId } = interaction.member;
    const yes = encodeButton({
      action: "do",
      sweep: parts.sweep,
      args: [userId, until, command, ...args],
    });
    const no = encodeButton({ action: "dont", sweep: parts.sweep, args: [userId] });
    if (yes === undefined || no === undefined) {
      return await refuse(
        interaction,
        "That has no room in Discord's buttons: write ranges such as 3-40, and a shorter reason.",
      );
    }
    const message: Outgoing = {
      content: `<@${userId}> wants to ${ruleText(what)}. Do it?`,
      rows: [[
        { id: yes, label: "Yes, do it", style: "danger" },
        { id: no, label: "No", style: "secondary" },
      ]],
    };
    await rest.respond(interaction, { kind: "message", message });
  }

  async function plot(interaction: Extract<Interaction, { kind: "command" }>): Promise<void> {
    const request = plotRequest(interaction.options);
    if ("mistake" in request) return await refuse(interaction, request.mistake);
    await answerWith(parts, interaction, async () => {
      const drawn = await parts.draw(request);
      if ("cannot" in drawn) return { content: ruleText(drawn.cannot) };
      const file = { name: "plot.png", bytes: drawn.png, contentType: "image/png" };
      return { content: ruleText(drawn.caption).slice(0, 1_900), files: [file] };
    });
  }

  async function thread(interaction: Extract<Interaction, { kind: "command" }>): Promise<void> {
    const trial = Number(interaction.options["index"]);
    if (!Number.isInteger(trial) || desk.trial(trial) === undefined) {
      return await refuse(interaction, `There is no trial ${trial}; /status lists them.`);
    }
    await answerWith(parts, interaction, async () => ({
      content: `<#${await parts.openThread(trial, undefined)}>`,
    }));
  }

  async function allowed(
    interaction: Interaction,
    right: Right,
    what: string,
    options: Readonly<Record<string, unknown>> = {},
  ): Promise<boolean> {
    const { member } = interaction;
    const ruling = await access.rule(member, right);
    if (ruling.may) return true;
    parts.audit("refused", {
      by: `discord:${member.userId}`,
      name: member.name,
      command: what,
      options,
      why: ruling.why,
    });
    await refuse(interaction, `${ruling.why}.`);
    return false;
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

  return { handle };
}

function plotRequest(
  options: Readonly<Record<string, unknown>>,
): PlotRequest | { mistake: string } {
  const text = (name: string) => {
    const value = options[name];
    return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
  };
  const trials = text("trials");
  const smooth = Number(options["smooth"] ?? 0);
  if (!Number.isInteger(smooth) || smooth < 0) {
    return { mistake: `Cannot smooth by ${smooth}: a whole number from 0 is wanted` };
  }
  try {
    return {
      kind: (text("kind") ?? "curves") as PlotRequest["kind"],
      metric: text("metric") ?? "",
      ...(trials === undefined ? {} : { trials: parseIndexSpec(trials) }),
      ...(text("parameter") === undefined ? {} : { parameter: text("parameter")! }),
      smooth,
      theme: text("theme") === "light" ? "light" : "dark",
    };
  } catch (error) {
    return { mistake: explain(error, "terminal") };
  }
}
