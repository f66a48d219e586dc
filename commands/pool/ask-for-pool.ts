import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../lib/base/errors.ts";
import type { Terminal } from "../../lib/base/terminal.ts";
import { visible } from "../../lib/base/width.ts";
import type { EngineWish } from "../../lib/daemon/pool-engine.ts";
import type { PoolSetup, PoolSetupWish } from "../../lib/daemon/pool-setup.ts";
import { awaitIntent, chooseServer, pasteToken } from "../ask-bot.ts";
import type { Ask } from "../ask-bot.ts";
import { say } from "../open.ts";
import type { PoolContext } from "./options.ts";
import type { SetupFlags } from "./setup-flags.ts";

const USUAL_BUDGET = 5;

/** Asks a person for whatever the flags do not say. */
export async function askForPool(
  context: PoolContext,
  setup: PoolSetup,
  flags: SetupFlags,
  ask: Ask,
): Promise<PoolSetupWish> {
  const { out, values } = context;
  const isOnDiscord = flags.isOnDiscord &&
    (flags.token.text !== undefined || flags.guildId !== undefined ||
      await agrees(ask, "Shall the pool be on Discord?", true));
  const discord = isOnDiscord ? await askForDiscord(context, setup, flags, ask) : undefined;
  const { parts } = flags;
  const own = flags.engine === undefined && !flags.hasEngine
    ? await askForEngine(context, ask)
    : { engine: flags.engine, parts: [] };
  const { engineParts } = await import("../../lib/daemon/pool-engine.ts");
  const sandbox = values.sandbox === undefined ? [await askForSandbox(context, ask)] : [];
  const usdPerDay = flags.usdPerDay ?? await askForBudget(out, ask);
  return {
    discord,
    usdPerDay,
    parts: [
      ...own.parts,
      ...(own.engine === undefined ? [] : [engineParts(own.engine)]),
      ...sandbox,
      ...parts,
    ],
  };
}

async function askForDiscord(
  { out, values }: PoolContext,
  setup: PoolSetup,
  flags: SetupFlags,
  ask: Ask,
): Promise<PoolSetupWish["discord"]> {
  const known = flags.token;
  let token = known.text ?? "";
  let kept: { env: string } | { text: string } = { env: known.variable };
  let bot;
  if (token === "") {
    ({ token, bot } = await pasteToken(out, setup.introduce, ask));
    kept = { text: token };
    out.print(`   It is of the bot "${visible(bot.name)}".`);
  } else {
    bot = await setup.introduce(token);
    out.print(`The token is there (${known.variable}): it is of the bot "${visible(bot.name)}".`);
    const keeps = known.isImported || flags.keepsSecrets ||
      await agrees(
        ask,
        `Put it into ${setup.path} (mode 0600), so that no variable is needed?`,
        false,
      );
    if (keeps) kept = { text: token };
  }
  const introduce = () => setup.introduce(token);
  await awaitIntent(out, introduce, bot, ask);
  const { id: guildId, name } = await chooseServer(out, introduce, ask, {
    known: flags.guildId,
    what: "the pool's channels",
  });
  out.print(`   The pool lives in the server "${visible(name)}".`);
  out.print("4. Three channels; those that are not there are made. A name, an id, or Enter:");
  const named = async (what: string, given: string | undefined, usual: string) =>
    given ?? ((await ask(`   ${what} [${usual}]:`)) || usual);
  const { queue, results, workers } = flags.channels;
  const channels = {
    queue: await named("tasks", values.queue, queue),
    results: await named("results", values.results, results),
    workers: await named("workers", values.workers, workers),
  };
  out.print("5. Who may give tasks? Ids of users and roles (right-click, Copy ID; Settings →");
  out.print("   Advanced → Developer Mode shows it). Enter: whoever may manage the channel.");
  const authors = flags.authors ?? await askForPeople(out, ask, "may submit");
  const operators = flags.operators ?? await askForPeople(out, ask, "may stop, drain and retry");
  const isPrivate = flags.isPrivate ||
    await agrees(ask, "   Shall channels that are made be seen by these people only?", false);
  return {
    bot,
    token,
    kept,
    guildId,
    channels,
    authors,
    operators,
    isPrivate,
    workerBots: flags.workerBots,
  };
}

async function askForPeople(
  out: Terminal,
  ask: Ask,
  what: string,
): Promise<readonly string[] | undefined> {
  for (;;) {
    const words = (await ask(`   ${what}:`)).split(/[\s,]+/).filter((one) => one !== "");
    if (words.length === 0) return undefined;
    const ids = words.map((one) => /^(?:<@[!&]?)?(\d{1,20})>?$/.exec(one)?.[1]);
    const wrong = words.find((_, i) => ids[i] === undefined);
    if (wrong === undefined) return ids.filter((id) => id !== undefined);
    out.print(`   "${visible(wrong)}" is no id: digits are wanted.`);
  }
}

async function askForEngine(
  { out, env }: PoolContext,
  ask: Ask,
): Promise<{ engine: EngineWish | undefined; parts: PoolSetupWish["parts"] }> {
  const { KEY_VARIABLE, PRESETS, wrongWith } = await import("../../lib/daemon/pool-engine.ts");
  const openclaw = join(env["HOME"] ?? "/", ".openclaw/openclaw.json");
  const isThere = (name: string | undefined) =>
    name !== undefined && env[name]?.trim() ? `, ${name} is set` : "";
  const kinds = [
    ["anthropic", `its models${isThere(KEY_VARIABLE.anthropic)}`],
    ["openrouter", `models of many makers${isThere(KEY_VARIABLE.openrouter)}`],
    ["openai", "another API that speaks as OpenAI's does"],
    ["acp", `an agent program: ${PRESETS.join(", ")}`],
    ["command", "a program of yours: the task on standard input, the answer on standard output"],
    ...(existsSync(openclaw) ? [["import", `what ${openclaw} says`] as const] : []),
  ] as const;
  out.print("6. What works on tasks?");
  kinds.forEach(([name, text], i) => out.print(`   ${i + 1}. ${name}: ${text}`));
  for (let empty = 0;;) {
    const answer = await ask("   Number:");
    if (answer === "" && ++empty < 3) {
      out.print(`   A number from 1 to ${kinds.length} is wanted; Ctrl-C leaves the set-up.`);
      continue;
    }
    if (answer === "") throw new UserError("The set-up was left: nothing works on tasks yet");
    const kind = kinds[Number(answer) - 1]?.[0] ?? kinds.find(([name]) => name === answer)?.[0];
    if (kind === undefined) {
      out.print(`   "${visible(answer)}" is none of them.`);
      continue;
    }
    if (kind === "import") {
      const { importSettings } = await import("../../lib/daemon/import-settings.ts");
      const { section, notices } = importSettings(openclaw);
      notices.forEach((notice) => say(out, visible(notice)));
      return { engine: undefined, parts: [section] };
    }
    const engine = await askForParts(kind, { env, ask, out, variable: KEY_VARIABLE[kind] });
    const wrong = wrongWith(engine);
    if (wrong.length === 0) return { engine, parts: [] };
    wrong.forEach((one) => out.print(`   ${visible(one)}`));
  }
}

async function askForParts(
  engine: EngineWish["engine"],
  { env, ask, out, variable }: {
    env: PoolContext["env"];
    ask: Ask;
    out: Terminal;
    variable: string | undefined;
  },
): Promise<EngineWish> {
  const text = async (question: string) => (await ask(`   ${question}`)) || undefined;
  const baseUrl = engine === "openai"
    ? (await text("Its address, such as https://api.example.org/v1:"))?.replace(/\/+$/, "")
    : undefined;
  const model = engine === "openai" ? await text("The model, as the API names it:") : undefined;
  const preset = engine === "acp" ? await text("Which of them:") : undefined;
  const line = engine === "command" ? await text("The program and its arguments:") : undefined;
  return {
    engine,
    key: variable === undefined ? undefined : await askForKey(variable, { env, ask, out }),
    baseUrl,
    preset,
    program: line?.split(/\s+/) ?? [],
    models: model === undefined ? [] : [{ alias: "primary", id: model }],
    sandbox: undefined,
  };
}

async function askForKey(
  variable: string,
  { env, ask, out }: { env: PoolContext["env"]; ask: Ask; out: Terminal },
): Promise<EngineWish["key"]> {
  if (env[variable]?.trim()) {
    out.print(`   The key is taken from ${variable}, also where workers are started.`);
    return { env: variable };
  }
  const key = await ask(
    `   Paste its key (it is not shown), or Enter to set ${variable} yourself:`,
    { hidden: true },
  );
  return key === "" ? { env: variable } : { text: key };
}

async function askForSandbox(
  { out, env }: PoolContext,
  ask: Ask,
): Promise<PoolSetupWish["parts"][number]> {
  const { findConfinement } = await import("../../lib/daemon/confinement.ts");
  const { kind, says } = await findConfinement(env);
  out.print("7. What may agents reach when a task does not say it?");
  out.print("   1. workspace: the task's own folder, and the system's programs");
  out.print("   2. none: everything that the worker's account may do");
  if (kind === "none") out.print(`   ${visible(says)}`);
  const usual = kind === "none" ? "2" : "1";
  const answer = (await ask(`   Number [${usual}]:`)) || usual;
  return { defaults: { sandbox: answer === "2" || answer === "none" ? "none" : "workspace" } };
}

async function askForBudget(out: Terminal, ask: Ask): Promise<number | undefined> {
  for (;;) {
    const answer = await ask(
      `8. What may be spent on a day, in US dollars? "none" is no limit [${USUAL_BUDGET}]:`,
    );
    if (/^none$/i.test(answer)) return undefined;
    const usd = answer === "" ? USUAL_BUDGET : Number(answer.replace(/^\$/, ""));
    if (Number.isFinite(usd) && usd >= 0) return usd;
    out.print(`   "${visible(answer)}" is no amount.`);
  }
}

async function agrees(ask: Ask, question: string, usual: boolean): Promise<boolean> {
  for (let again = "";; again = " (y or n)") {
    const answer = await ask(`${question} ${usual ? "[Y/n]" : "[y/N]"}${again}`);
    if (answer === "") return usual;
    if (/^(y(es)?|no?)$/i.test(answer)) return /^y/i.test(answer);
  }
}
