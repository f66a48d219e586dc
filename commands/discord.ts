import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import type { Finding } from "../lib/base/finding.ts";
import { terminalQuestion } from "../lib/base/question.ts";
import type { Terminal } from "../lib/base/terminal.ts";
import { count } from "../lib/base/text.ts";
import { visible } from "../lib/base/width.ts";
import type { DiscordOffice } from "../lib/daemon/discord-office.ts";
import type { BotFacts } from "../lib/daemon/introduce-bot.ts";
import { askWith, awaitIntent, chooseServer, pasteToken } from "./ask-bot.ts";
import type { Ask } from "./ask-bot.ts";
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
  const ask = askWith(question, signal);
  const introduce = () => office.introduce(office.token());
  const bot = await findBot(out, office, ask);
  await awaitIntent(out, introduce, bot, ask);
  const { guildId: known } = office.settings();
  const what = "the sweep's channel";
  const { id, name, isKnown } = await chooseServer(out, introduce, ask, { known, what });
  if (isKnown) out.print(`3. The sweep lives in the server "${visible(name)}".`);
  else {
    office.keepGuild(id);
    out.print(`   discord.guild_id is "${id}" in the YAML now.`);
  }
  out.print();
}

async function findBot(out: Terminal, office: DiscordOffice, ask: Ask): Promise<BotFacts> {
  if (office.token() !== "") {
    const known = await office.introduce(office.token());
    out.print(`The token is there: it is of the bot "${visible(known.name)}".`);
    return known;
  }
  const { token, bot } = await pasteToken(out, office.introduce, ask);
  office.keepToken(token);
  out.print(`   It is of the bot "${visible(bot.name)}", and stands in .env now (mode 0600).`);
  return bot;
}
