import { UserError } from "../lib/base/errors.ts";
import { BROKER_OPTIONS } from "./broker/options.ts";
import { defineCommand } from "./command.ts";

const ACTIONS = ["status", "start", "check", "import"] as const;

export const command = defineCommand({
  name: "broker",
  summary: "Bots that converse with people in Discord threads: look, start, check, import",
  details:
    "start runs the bots of the configuration's section broker in the daemon; any daemon of yours does\n" +
    "that when the section is there. check looks whether the section is good, whether agents are\n" +
    "installed and keys are set, and what Discord says of each bot. import prints configurations of\n" +
    "OpenAB as that section.",
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
