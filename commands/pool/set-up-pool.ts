import { terminalQuestion } from "../../lib/base/question.ts";
import { EXIT } from "../../lib/base/exit-codes.ts";
import { visible } from "../../lib/base/width.ts";
import type { PoolSetup, PoolSetupPlan, PoolSetupWish } from "../../lib/daemon/pool-setup.ts";
import { askWith } from "../ask-bot.ts";
import { usualEngine } from "../engine-flags.ts";
import { findBot } from "../find-bot.ts";
import { linesShown, say } from "../open.ts";
import { setupMistakes } from "../setup-mistakes.ts";
import type { PoolContext } from "./options.ts";
import { readFlags } from "./setup-flags.ts";
import type { SetupFlags } from "./setup-flags.ts";

/** Takes from flags, imports and a person what a pool needs, and writes it into herd's configuration. */
export async function setUp(context: PoolContext): Promise<number> {
  const { values, env, clock, log, signal, out, json } = context;
  const { openPoolSetup } = await import("../../lib/daemon/pool-setup.ts");
  const setup = openPoolSetup({ env, clock, log, signal });
  setup.begin(values.force || values["dry-run"]);
  const flags = await readFlags(context);
  flags.notices.forEach((notice) => say(out, visible(notice)));
  const question = json || isEnough(flags) ? undefined : terminalQuestion();
  let wish: PoolSetupWish;
  if (question === undefined) wish = await fromFlags(context, setup, flags);
  else {
    const { askForPool } = await import("./ask-for-pool.ts");
    wish = await askForPool(context, setup, flags, askWith(question, signal));
  }
  const plan = await setup.prepare(wish);
  plan.notices.forEach((notice) => say(out, visible(notice)));
  await sayKeys(context, wish);
  if (values["dry-run"]) return showDry(context, setup, plan);
  if (question !== undefined) {
    out.print(linesShown(plan.shown));
    const answer = await askWith(question, signal)(`${whatComes(setup, plan)}? [Y/n]`);
    if (!/^(y(es)?)?$/i.test(answer)) {
      out.print("Nothing was changed");
      return EXIT.negative;
    }
  }
  const outcome = await setup.carryOut(plan);
  if (json) {
    out.json({
      file: outcome.path,
      before: outcome.before ?? null,
      channels: outcome.channels ?? null,
      notices: [...flags.notices, ...plan.notices],
    });
    return EXIT.done;
  }
  out.print(`Written: ${outcome.path} (mode 0600)`);
  if (outcome.before !== undefined) out.print(`As it was before: ${outcome.before}`);
  showMade(context, plan);
  showNext(context, plan);
  return EXIT.done;
}

/** Whether nothing has to be asked. */
function isEnough({ isOnDiscord, token, guildId, engine, hasEngine }: SetupFlags): boolean {
  return (engine !== undefined || hasEngine) &&
    (!isOnDiscord || (token.text !== undefined && guildId !== undefined));
}

/** Throws one UserError that names everything that is missing. */
async function fromFlags(
  { env }: PoolContext,
  setup: PoolSetup,
  flags: SetupFlags,
): Promise<PoolSetupWish> {
  const missing: string[] = [];
  const engine = flags.engine ??
    (flags.hasEngine ? undefined : await usualEngine(env, flags.keepsSecrets));
  if (engine === undefined && !flags.hasEngine) {
    missing.push(
      "What works on tasks: --backend anthropic, openrouter, openai, acp or command, or --import " +
        "openclaw.json",
    );
  }
  const discord = flags.isOnDiscord ? await discordOf(setup, flags, missing) : undefined;
  if (missing.length > 0) throw setupMistakes("pool", missing);
  const { engineParts } = await import("../../lib/daemon/pool-engine.ts");
  return {
    discord,
    usdPerDay: flags.usdPerDay,
    parts: [...flags.parts, ...(engine === undefined ? [] : [engineParts(engine)])],
  };
}

async function discordOf(
  setup: PoolSetup,
  flags: SetupFlags,
  missing: string[],
): Promise<PoolSetupWish["discord"]> {
  const { token, channels, authors, operators, isPrivate, workerBots } = flags;
  const found = await findBot(setup.introduce, flags, missing, ", --no-discord goes without");
  if (found === undefined) return undefined;
  const text = token.text!;
  return {
    ...found,
    token: text,
    kept: token.isImported || flags.keepsSecrets ? { text } : { env: token.variable },
    ...{ channels, authors, operators, isPrivate, workerBots },
  };
}

/** Keys that are not here may be where the workers are. */
async function sayKeys({ env, out }: PoolContext, { parts }: PoolSetupWish): Promise<void> {
  const { keyVariables } = await import("../../lib/daemon/pool-checkup.ts");
  for (const name of keyVariables(parts)) {
    if (!env[name]?.trim()) {
      say(out, `${name} is not set here: it has to be where workers are started`);
    }
  }
}

function whatComes(setup: PoolSetup, { grounds }: PoolSetupPlan): string {
  const made = grounds?.grounds.filter(({ channel }) => channel === undefined) ?? [];
  const names = made.map(({ name }) => `#${name}`);
  return `Write that into ${setup.path}${
    names.length === 0 ? "" : `, and make ${names.join(", ")}`
  }`;
}

function showDry({ out, json }: PoolContext, setup: PoolSetup, plan: PoolSetupPlan): number {
  const channels = plan.grounds?.grounds.map(({ place, name, channel }) => ({
    place,
    name,
    id: channel?.id ?? null,
  })) ?? [];
  if (json) {
    out.json({
      file: setup.path,
      dry_run: true,
      section: plan.shown,
      channels,
      notices: plan.notices,
    });
    return EXIT.done;
  }
  out.print(linesShown(plan.shown));
  for (const { name, id } of channels) {
    out.printError(id === null ? `#${name} would be made` : `#${name} is there (${id})`);
  }
  out.printError(`Nothing was changed; it would be written into ${setup.path}`);
  return EXIT.done;
}

function showMade({ out }: PoolContext, { grounds }: PoolSetupPlan): void {
  if (grounds === undefined) return;
  const words = grounds.grounds.map(({ name, channel }) =>
    `#${visible(name)}${channel === undefined ? " (made)" : ""}`
  );
  out.print(`On Discord: server "${visible(grounds.guild.name)}", ${words.join(", ")}`);
}

function showNext({ out }: PoolContext, { wish, grounds }: PoolSetupPlan): void {
  const { discord } = wish;
  if (discord !== undefined && "env" in discord.kept) {
    say(out, `${discord.kept.env} has to be set where \`herd pool start\` is run, too`);
  }
  const queue = grounds?.grounds.find(({ place }) => place === "queue")?.name;
  const place = queue === undefined ? "" : `, or write it into #${visible(queue)}`;
  out.print("Next:");
  out.print("  herd pool start --detach                    # the coordinator, in the background");
  out.print("  herd worker --slots 3                       # a worker on this machine");
  out.print(`  herd task submit "Calculate 5 × 5" --wait   # a first task${place}`);
}
