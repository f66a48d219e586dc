import { terminalQuestion } from "../../lib/base/question.ts";
import { EXIT } from "../../lib/base/exit-codes.ts";
import { visible } from "../../lib/base/width.ts";
import type {
  BrokerSetup,
  BrokerSetupPlan,
  BrokerSetupWish,
} from "../../lib/daemon/broker-setup.ts";
import { askWith } from "../ask-bot.ts";
import { usualEngine } from "../engine-flags.ts";
import { findBot } from "../find-bot.ts";
import { linesShown, say } from "../open.ts";
import { setupMistakes } from "../setup-mistakes.ts";
import type { BrokerContext } from "./options.ts";
import { type BrokerFlags, readFlags } from "./setup-flags.ts";

/** Takes from flags and a person what a bot needs, and writes it into herd's configuration. */
export async function setUp(context: BrokerContext): Promise<number> {
  const { values, env, clock, log, signal, out, json } = context;
  const { openBrokerSetup } = await import("../../lib/daemon/broker-setup.ts");
  const setup = openBrokerSetup({ env, clock, log, signal });
  setup.begin(values.force || values["dry-run"]);
  const flags = await readFlags(context);
  const question = json || isEnough(flags) ? undefined : terminalQuestion();
  let wish: BrokerSetupWish;
  if (question === undefined) wish = await fromFlags(context, setup, flags);
  else {
    const { askForBroker } = await import("./ask-for-broker.ts");
    wish = await askForBroker(context, setup, flags, askWith(question, signal));
  }
  const plan = await setup.prepare(wish);
  plan.notices.forEach((notice) => say(out, visible(notice)));
  if (values["dry-run"]) return showDry(context, setup, plan);
  if (question !== undefined) {
    out.print(linesShown(plan.shown));
    const answer = await askWith(question, signal)(`Write that into ${setup.path}? [Y/n]`);
    if (!/^(y(es)?)?$/i.test(answer)) {
      out.print("Nothing was changed");
      return EXIT.negative;
    }
  }
  const before = setup.carryOut(plan);
  if (json) {
    out.json({ file: setup.path, before: before ?? null, notices: plan.notices });
    return EXIT.done;
  }
  out.print(`Written: ${setup.path} (mode 0600)`);
  if (before !== undefined) out.print(`As it was before: ${before}`);
  showNext(context, wish, plan);
  return EXIT.done;
}

/** Whether nothing has to be asked. */
function isEnough({ token, guildId, channels, people, engine }: BrokerFlags): boolean {
  return [token.text, guildId, channels, people, engine].every((one) => one !== undefined);
}

/** Throws one UserError that names everything that is missing. */
async function fromFlags(
  { env }: BrokerContext,
  setup: BrokerSetup,
  flags: BrokerFlags,
): Promise<BrokerSetupWish> {
  const missing: string[] = [];
  const { channels, people, token, keepsSecrets, sandbox, usdPerDay } = flags;
  const engine = flags.engine ?? await usualEngine(env, keepsSecrets);
  if (engine === undefined) {
    missing.push("Which agent answers: --backend acp, anthropic, openrouter, openai or command");
  }
  if (channels === undefined) {
    missing.push("In which channels it answers: --channel NAME for each, or --channel all");
  }
  if (people === undefined) {
    missing.push("Who may talk to it: --user ID for each user or role, or --user all");
  }
  const found = await findBot(setup.introduce, flags, missing);
  if (missing.length > 0) throw setupMistakes("broker", missing);
  return {
    ...found!,
    token: token.text!,
    kept: keepsSecrets ? { text: token.text! } : { env: token.variable },
    channels: channels!,
    people: people!,
    engine: engine!,
    sandbox,
    usdPerDay,
  };
}

function showDry(
  { out, json }: BrokerContext,
  { path }: BrokerSetup,
  { shown, notices }: BrokerSetupPlan,
): number {
  if (json) out.json({ file: path, dry_run: true, section: shown, notices });
  else {
    out.print(linesShown(shown));
    out.printError(`Nothing was changed; it would be written into ${path}`);
  }
  return EXIT.done;
}

function showNext(
  { out }: BrokerContext,
  { kept, bot }: BrokerSetupWish,
  { survey: { guild, channels } }: BrokerSetupPlan,
): void {
  if ("env" in kept) {
    say(out, `${kept.env} has to be set where \`herd broker start\` is run, too`);
  }
  const place = channels === "all" ? "a channel" : `#${visible(channels[0]?.name ?? "")}`;
  out.print(`On Discord: server "${visible(guild.name)}", the bot "${visible(bot.name)}"`);
  out.print("Next:");
  out.print("  herd broker check             # whether the agent is there, too");
  out.print("  herd broker start --detach    # the bot, in the background");
  out.print(`and in ${place}: @${visible(bot.name)} hello`);
}
