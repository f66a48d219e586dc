import type { Terminal } from "../../lib/base/terminal.ts";
import { visible } from "../../lib/base/width.ts";
import type { PoolSetup, PoolSetupWish } from "../../lib/daemon/pool-setup.ts";
import { agrees, askForBot, awaitIntent, chooseServer } from "../ask-bot.ts";
import type { Ask } from "../ask-bot.ts";
import { askForBudget, askForEngine, askForSandbox } from "../ask-engine.ts";
import { personId } from "../person-id.ts";
import type { PoolContext } from "./options.ts";
import type { SetupFlags } from "./setup-flags.ts";

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
    ? await askForEngine(context, ask, {
      question: "6. What works on tasks?",
      imports: true,
    })
    : { engine: flags.engine, parts: [] };
  const { engineParts } = await import("../../lib/daemon/pool-engine.ts");
  const sandbox = values.sandbox === undefined
    ? [{
      defaults: {
        sandbox: await askForSandbox(
          context,
          ask,
          "7. What may agents reach when a task does not say it?",
        ),
      },
    }]
    : [];
  const usdPerDay = flags.usdPerDay ?? await askForBudget(out, ask, "8.");
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
  const { bot, token, kept } = await askForBot(out, setup.introduce, ask, {
    known: flags.token,
    keeps: flags.token.isImported || flags.keepsSecrets,
    path: setup.path,
  });
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
    const ids = words.map(personId);
    const wrong = words.find((_, i) => ids[i] === undefined);
    if (wrong === undefined) return ids.filter((id) => id !== undefined);
    out.print(`   "${visible(wrong)}" is no id: digits are wanted.`);
  }
}
