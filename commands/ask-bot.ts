import { UserError } from "../lib/base/errors.ts";
import type { Question, QuestionOptions } from "../lib/base/question.ts";
import type { Terminal } from "../lib/base/terminal.ts";
import { visible } from "../lib/base/width.ts";
import type { BotFacts } from "../lib/daemon/introduce-bot.ts";

/** Asks a person at the terminal; what was typed comes without blanks around it. */
export type Ask = (text: string, options?: QuestionOptions) => Promise<string>;

const PORTAL = "https://discord.com/developers/applications";

export function askWith(question: Question, signal: AbortSignal): Ask {
  return async (text, options) => (await question(`${text} `, signal, options)).trim();
}

/** Until a token is pasted that Discord takes. Throws UserError for an empty answer. */
export async function pasteToken(
  out: Terminal,
  introduce: (token: string) => Promise<BotFacts>,
  ask: Ask,
): Promise<{ token: string; bot: BotFacts }> {
  out.print("1. Make a bot, in a browser:");
  out.print(`   - ${PORTAL} → New Application, any name`);
  out.print("   - left: Bot → Reset Token → Copy");
  out.print("   - same page, Privileged Gateway Intents: MESSAGE CONTENT INTENT on → Save");
  for (;;) {
    const token = await ask("   Paste the token here (it is not shown):", { hidden: true });
    if (token === "") throw new UserError("The set-up was left: there is no token yet");
    try {
      return { token, bot: await introduce(token) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      out.print(`   ${visible(error.message)}${error.hint ? `: ${visible(error.hint)}` : ""}`);
    }
  }
}

/** Until the switch is on, or the person goes without. */
export async function awaitIntent(
  out: Terminal,
  introduce: () => Promise<BotFacts>,
  bot: BotFacts,
  ask: Ask,
): Promise<void> {
  let { messageContent } = bot;
  while (!messageContent) {
    out.print("2. MESSAGE CONTENT INTENT is off: the bot would read empty messages.");
    out.print(
      `   ${PORTAL} → your application → Bot → Privileged Gateway Intents: turn it on, Save.`,
    );
    const answer = await ask(
      '   Enter when it is on, "skip" to go without (mentions and slash work):',
    );
    if (answer.toLowerCase() === "skip") return;
    ({ messageContent } = await introduce());
  }
}

/** The server that `known` names where the bot is in it, else the one that is chosen. */
export async function chooseServer(
  out: Terminal,
  introduce: () => Promise<BotFacts>,
  ask: Ask,
  { known, what }: { known: string | undefined; what: string },
): Promise<{ id: string; name: string; isKnown: boolean }> {
  for (;;) {
    const { guilds, invite } = await introduce();
    const there = guilds.find(({ id }) => id === known);
    if (there !== undefined) return { ...there, isKnown: true };
    if (guilds.length === 0) {
      out.print("3. Invite the bot to your server with this link:");
      out.print(`   ${invite}`);
      const answer = await ask("   Enter when it is there:");
      if (answer !== "") throw new UserError("The set-up was left: the bot is in no server yet");
      continue;
    }
    out.print(`3. In which server shall ${what} be?`);
    guilds.forEach(({ id, name }, i) => out.print(`   ${i + 1}. ${visible(name)} (${id})`));
    out.print(`   Another one: invite the bot there first, ${invite}`);
    const answer = await ask("   Number or id, or Enter to look again:");
    const chosen = guilds[Number(answer) - 1] ?? guilds.find(({ id }) => id === answer);
    if (chosen !== undefined) return { ...chosen, isKnown: false };
    if (answer !== "") out.print(`   "${visible(answer)}" is none of them.`);
  }
}

export interface AskedBot {
  bot: BotFacts;
  /** Never print it. */
  token: string;
  /** How the file is to have it. */
  kept: { env: string } | { text: string };
}

/** The token that is there, else one that is pasted; of the former it is asked how it is kept. */
export async function askForBot(
  out: Terminal,
  introduce: (token: string) => Promise<BotFacts>,
  ask: Ask,
  { known, keeps, path }: {
    known: { variable: string; text: string | undefined };
    /** It goes into the file without a question. */
    keeps: boolean;
    path: string;
  },
): Promise<AskedBot> {
  if (known.text === undefined) {
    const { token, bot } = await pasteToken(out, introduce, ask);
    out.print(`   It is of the bot "${visible(bot.name)}".`);
    return { token, bot, kept: { text: token } };
  }
  const token = known.text;
  const bot = await introduce(token);
  out.print(`The token is there (${known.variable}): it is of the bot "${visible(bot.name)}".`);
  const isKept = keeps ||
    await agrees(ask, `Put it into ${path} (mode 0600), so that no variable is needed?`, false);
  return { token, bot, kept: isKept ? { text: token } : { env: known.variable } };
}

export async function agrees(ask: Ask, question: string, usual: boolean): Promise<boolean> {
  for (let again = "";; again = " (y or n)") {
    const answer = await ask(`${question} ${usual ? "[Y/n]" : "[y/N]"}${again}`);
    if (answer === "") return usual;
    if (/^(y(es)?|no?)$/i.test(answer)) return /^y/i.test(answer);
  }
}
