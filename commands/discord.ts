import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import type { Finding } from "../lib/base/finding.ts";
import { terminalQuestion } from "../lib/base/question.ts";
import type { QuestionOptions } from "../lib/base/question.ts";
import type { Terminal } from "../lib/base/terminal.ts";
import { count } from "../lib/base/text.ts";
import { visible } from "../lib/base/width.ts";
import type { BotFacts, DiscordOffice } from "../lib/daemon/discord-office.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { workspacePath } from "./open.ts";

type DiscordContext = Context<readonly []>;

export const command = defineCommand({
  name: "discord",
  summary: "Set up the Discord bot of a sweep, and find out what it lacks",
  details:
    "check asks Discord whether the token is good, the server visible, the intent on, and which\n" +
    "permissions are missing, and prints the link that invites the bot with exactly those that it\n" +
    "needs. setup asks for what is missing and writes it down: the token into .env, which only you\n" +
    "can read then, the server into the YAML.",
  arguments: [
    { name: "ACTION", description: "check or setup" },
    { name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." },
  ],
  options: [],
  examples: [
    { line: "herd discord setup sweep", meaning: "once, with a browser at hand" },
    { line: "herd discord check sweep", meaning: "what works and what is missing" },
  ],
  async run(context) {
    const { positionals, cwd, env, clock, log, signal } = context;
    const [action, workspace = "."] = positionals;
    if (action !== "check" && action !== "setup") {
      throw new UserError(`Unknown action "${action}" of herd discord`, {
        hint: "Allowed are check and setup",
      });
    }
    const { openDiscordOffice } = await import("../lib/daemon/discord-office.ts");
    const office = openDiscordOffice({
      workspace: workspacePath(cwd, workspace),
      env,
      clock,
      log,
      signal,
    });
    if (action === "setup") await setUp(context, office);
    return await check(context, office);
  },
});

async function check({ out, json }: DiscordContext, office: DiscordOffice): Promise<number> {
  const { findings, invite } = await office.check();
  const bad = findings.filter(({ mark }) => mark === "bad").length;
  if (json) {
    out.json({
      ok: bad === 0,
      invite: invite ?? null,
      checks: findings.map(({ mark, message, mend }) => ({ mark, message, mend: mend ?? null })),
    });
  } else show(out, findings, invite, bad);
  return bad === 0 ? EXIT.done : EXIT.negative;
}

function show(
  out: Terminal,
  findings: readonly Finding[],
  invite: string | undefined,
  bad: number,
): void {
  const { green, yellow, red, dim } = out.paint;
  const marks = { good: green("✓"), doubt: yellow("!"), bad: red("✗") };
  for (const { mark, message, mend } of findings) {
    out.print(`${marks[mark]} ${visible(message)}`);
    if (mend !== undefined) out.print(`    ${dim("→")} ${visible(mend)}`);
  }
  if (invite !== undefined) {
    out.print();
    out.print("This link invites the bot with exactly the permissions that herd needs:");
    out.print(invite);
  }
  out.print();
  const doubts = findings.filter(({ mark }) => mark === "doubt").length;
  if (bad > 0) out.print(red(`${count(bad, "thing")} to mend`));
  else if (doubts > 0) out.print(`It works; ${count(doubts, "thing")} to know about`);
  else out.print(green("All is well"));
}

async function setUp(context: DiscordContext, office: DiscordOffice): Promise<void> {
  const { out, signal, json } = context;
  const question = terminalQuestion();
  if (question === undefined || json) {
    throw new UserError("Cannot set up Discord: nobody can be asked here", {
      hint: "Put DISCORD_BOT_TOKEN into .env and discord.guild_id into the YAML, as " +
        "docs/discord.md says, then run `herd discord check`",
    });
  }
  const ask: Ask = async (text, options) => (await question(`${text} `, signal, options)).trim();
  const bot = await findBot(out, office, ask);
  await withIntent(out, office, bot, ask);
  await withServer(out, office, ask);
  out.print();
}

type Ask = (text: string, options?: QuestionOptions) => Promise<string>;

const PORTAL = "https://discord.com/developers/applications";

async function findBot(out: Terminal, office: DiscordOffice, ask: Ask): Promise<BotFacts> {
  if (office.token() !== "") {
    const known = await office.introduce(office.token());
    out.print(`The token is there: it is of the bot "${visible(known.name)}".`);
    return known;
  }
  out.print("1. Make a bot, in a browser:");
  out.print(`   - ${PORTAL} → New Application, any name`);
  out.print("   - left: Bot → Reset Token → Copy");
  out.print("   - same page, Privileged Gateway Intents: MESSAGE CONTENT INTENT on → Save");
  for (;;) {
    const token = await ask("   Paste the token here (it is not shown):", { hidden: true });
    if (token === "") throw new UserError("The set-up was left: there is no token yet");
    try {
      const bot = await office.introduce(token);
      office.keepToken(token);
      out.print(`   It is of the bot "${visible(bot.name)}", and stands in .env now (mode 0600).`);
      return bot;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      out.print(`   ${visible(error.message)}${error.hint ? `: ${visible(error.hint)}` : ""}`);
    }
  }
}

async function withIntent(
  out: Terminal,
  office: DiscordOffice,
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
    ({ messageContent } = await office.introduce(office.token()));
  }
}

async function withServer(out: Terminal, office: DiscordOffice, ask: Ask): Promise<void> {
  for (;;) {
    const { guilds, invite } = await office.introduce(office.token());
    const { guildId } = office.settings();
    const known = guilds.find(({ id }) => id === guildId);
    if (known !== undefined) {
      out.print(`3. The sweep lives in the server "${visible(known.name)}".`);
      return;
    }
    if (guilds.length === 0) {
      out.print("3. Invite the bot to your server with this link:");
      out.print(`   ${invite}`);
      const answer = await ask("   Enter when it is there:");
      if (answer !== "") throw new UserError("The set-up was left: the bot is in no server yet");
      continue;
    }
    out.print("3. In which server shall the sweep's channel be?");
    guilds.forEach(({ id, name }, i) => out.print(`   ${i + 1}. ${visible(name)} (${id})`));
    out.print(`   Another one: invite the bot there first, ${invite}`);
    const answer = await ask("   Number or id, or Enter to look again:");
    const chosen = guilds[Number(answer) - 1] ?? guilds.find(({ id }) => id === answer);
    if (chosen === undefined) {
      if (answer !== "") out.print(`   "${visible(answer)}" is none of them.`);
      continue;
    }
    office.keepGuild(chosen.id);
    out.print(`   discord.guild_id is "${chosen.id}" in the YAML now.`);
    return;
  }
}
