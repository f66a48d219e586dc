import { UserError } from "../lib/base/errors.ts";
import { nearest } from "../lib/base/text.ts";
import { BROKER_OPTIONS, type BrokerContext } from "./broker/options.ts";
import { defineCommand } from "./command.ts";
import { SETUP_OPTIONS } from "./setup-options.ts";

/** Each with the options that are its own. */
const OWN_OPTIONS = {
  status: ["connected"],
  setup: [...SETUP_OPTIONS.map(({ name }) => name), "token-env", "channel", "user"],
  invite: ["token-env"],
  start: ["detach"],
  check: ["no-discord"],
  import: [],
} as const satisfies Readonly<Record<string, readonly (typeof BROKER_OPTIONS)[number]["name"][]>>;
type Action = keyof typeof OWN_OPTIONS;
const ACTIONS = Object.keys(OWN_OPTIONS);

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
    const [name = "status", ...rest] = context.positionals;
    const action = actionOf(name);
    refuseWhatItHasNot(action, rest, context);
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
    }
  },
});

function actionOf(name: string): Action {
  const action = ACTIONS.find((one) => one === name);
  if (action !== undefined) return action as Action;
  const near = nearest(name, ACTIONS);
  throw new UserError(`Unknown action "${name}" of herd broker`, {
    hint: near === undefined ? `Allowed are ${ACTIONS.join(", ")}` : `Did you mean "${near}"?`,
  });
}

/** What would be left alone silently was meant to do something. */
function refuseWhatItHasNot(
  action: Action,
  rest: readonly string[],
  { values }: BrokerContext,
): void {
  const own: readonly string[] = OWN_OPTIONS[action];
  const isGiven = (value: unknown) =>
    Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
  const odd = BROKER_OPTIONS.find(({ name }) => isGiven(values[name]) && !own.includes(name));
  if (odd !== undefined) {
    const { description } = odd;
    throw new UserError(`Cannot use "--${odd.name}" with herd broker ${action}`, {
      hint: `It belongs to herd broker ${description.slice(0, description.indexOf(":"))}`,
    });
  }
  if (action !== "import" && rest.length > 0) {
    throw new UserError(`Cannot use "${rest[0]}": herd broker ${action} takes nothing more`);
  }
}
