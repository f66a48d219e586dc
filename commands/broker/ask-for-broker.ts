import { UserError } from "../../lib/base/errors.ts";
import type { Terminal } from "../../lib/base/terminal.ts";
import { visible } from "../../lib/base/width.ts";
import type { BrokerSetup, BrokerSetupWish } from "../../lib/daemon/broker-setup.ts";
import { type Ask, askForBot, awaitIntent, chooseServer } from "../ask-bot.ts";
import { askForBudget, askForEngine, askForSandbox } from "../ask-engine.ts";
import { personId } from "../person-id.ts";
import type { BrokerContext } from "./options.ts";
import type { BrokerFlags } from "./setup-flags.ts";

const MOST_SHOWN = 30;
const MOST_EMPTY = 3;

/** Asks a person for whatever the flags do not say. */
export async function askForBroker(
  context: BrokerContext,
  setup: BrokerSetup,
  flags: BrokerFlags,
  ask: Ask,
): Promise<BrokerSetupWish> {
  const { out } = context;
  const asked = await askForBot(out, setup.introduce, ask, {
    known: flags.token,
    keeps: flags.keepsSecrets,
    path: setup.path,
  });
  const introduce = () => setup.introduce(asked.token);
  await awaitIntent(out, introduce, asked.bot, ask);
  const { id: guildId, name } = await chooseServer(out, introduce, ask, {
    known: flags.guildId,
    what: "the bot's channels",
  });
  out.print(`   The bot works in the server "${visible(name)}".`);
  const channels = flags.channels ??
    await askForChannels(out, await setup.channels({ ...asked, guildId }), ask);
  const people = flags.people ?? await askForPeople(out, ask);
  const engine = flags.engine ?? (await askForEngine(context, ask, {
    question: "6. Which agent answers?",
    imports: false,
  })).engine!;
  const sandbox = flags.sandbox ?? await askForSandbox(
    context,
    ask,
    "7. What may the agent reach on this machine?",
  );
  const usdPerDay = flags.usdPerDay ?? await askForBudget(out, ask, "8.");
  return { ...asked, guildId, channels, people, engine, sandbox, usdPerDay };
}

async function askForChannels(
  out: Terminal,
  known: readonly { id: string; name: string }[],
  ask: Ask,
): Promise<BrokerSetupWish["channels"]> {
  out.print('4. In which channels shall it answer? Numbers, names or ids; "all" is every one:');
  known.slice(0, MOST_SHOWN).forEach(({ id, name }, i) =>
    out.print(`   ${i + 1}. #${visible(name)} (${id})`)
  );
  if (known.length > MOST_SHOWN) out.print(`   and ${known.length - MOST_SHOWN} more`);
  const words = await askForWords(out, ask, "channels");
  if (words.includes("all")) return "all";
  return words.map((word) => /^\d{1,3}$/.test(word) ? known[Number(word) - 1]?.id ?? word : word);
}

async function askForPeople(out: Terminal, ask: Ask): Promise<BrokerSetupWish["people"]> {
  out.print("5. Who may talk to it? Ids of users and roles (right-click, Copy ID; Settings →");
  out.print('   Advanced → Developer Mode shows it); "all" is everybody who sees the channels.');
  for (;;) {
    const words = await askForWords(out, ask, "people");
    if (words.includes("all")) return "all";
    const wrong = words.find((word) => personId(word) === undefined);
    if (wrong === undefined) return words.map((word) => personId(word)!);
    out.print(`   "${visible(wrong)}" is no id: digits are wanted.`);
  }
}

/** Nothing is no answer here: it would let nobody in. */
async function askForWords(out: Terminal, ask: Ask, what: string): Promise<readonly string[]> {
  for (let empty = 0; empty < MOST_EMPTY; empty++) {
    const words = (await ask(`   ${what}:`)).split(/[\s,]+/).filter((one) => one !== "");
    if (words.length > 0) return words;
    out.print('   At least one is wanted, or "all"; Ctrl-C leaves the set-up.');
  }
  throw new UserError(`The set-up was left: there are no ${what} yet`);
}
