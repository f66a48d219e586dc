import { UserError } from "../lib/base/errors.ts";
import { BROKER_OPTIONS } from "./broker/options.ts";
import { defineCommand } from "./command.ts";

const ACTIONS = ["status", "setup", "invite", "start", "check", "import"] as const;

export const command = defineCommand({
  name: "broker",
  summary: "Bots that converse with people in Discord threads: look, set up, start, check",
  details:
    "setup asks for a bot, its channels, its people and an agent, and writes the section broker of\n" +
    "herd's own configuration; its options say the same without a terminal. invite prints the link\n" +
    "by which a person adds each bot to a server. start runs the bots of that section in the daemon;\n" +
    "any daemon of yours does that when it is there. check looks whether the section is good, whether\n" +
    "agents are installed and keys are set, and what Discord says of each bot. import prints\n" +
    "configurations of OpenAB as that section.",
  arguments: [
    { name: "ACTION", optional: true, description: `${ACTIONS.join(", ")}; default status` },
    {
      name: "FILE",
      optional: true,
      repeatable: true,
      description: "import: OpenAB's config.toml, one for each bot",
    },
  ],
  options: BROKER_OPTIONS,
  examples: [
    { line: "herd broker setup", meaning: "from nothing to a bot, by questions" },
    { line: "herd broker import config.toml", meaning: "OpenAB's settings as herd's" },
    { line: "herd broker check", meaning: "is it good, does Discord take it" },
    { line: "herd broker start --detach", meaning: "run it in the background" },
    { line: "herd broker", meaning: "bots, conversations, turns" },
  ],
  async run(context) {
    const [action = "status", ...rest] = context.positionals;
    switch (action) {
      case "status":
        return await (await import("./broker/show-broker.ts")).show(context);
      case "setup":
        return await (await import("./broker/set-up-broker.ts")).setUp(context);
      case "invite":
        return await (await import("./broker/invite-bots.ts")).invite(context);
      case "start":
        return await (await import("./broker/start-broker.ts")).start(context);
      case "check":
        return await (await import("./broker/check-broker.ts")).check(context);
      case "import":
        return await (await import("./broker/import-openab.ts")).importOpenab(context, rest);
      default:
        throw new UserError(`Unknown action "${action}" of herd broker`, {
          hint: `Allowed are ${ACTIONS.join(", ")}`,
        });
    }
  },
});
