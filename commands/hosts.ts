import { UserError } from "../lib/base/errors.ts";
import { defineCommand } from "./command.ts";

const ACTIONS = ["list", "check", "login"] as const;

export const command = defineCommand({
  name: "hosts",
  summary: "Computers behind ssh: how they are reached, what runs there, log in, try the way",
  details:
    "list shows the hosts of the daemon's sweeps, and those of the WORKSPACEs that are named: since\n" +
    "when they are reached, how fast they answer, and the state of each sweep there. Exits with 1\n" +
    "when one is not reached.\n" +
    "check NAME reads ~/.ssh/config as ssh does, connects, logs in (asking for a passphrase, a\n" +
    "password or a code where one is wanted), and says what is there. Exits with 1 when the way\n" +
    "does not lead all through (✗).\n" +
    "login NAME asks here what a login of the daemon wants to know, and hands the answer to it.",
  arguments: [
    { name: "ACTION", optional: true, description: `${ACTIONS.join(", ")}; default list` },
    {
      name: "NAME",
      optional: true,
      repeatable: true,
      description: "As for ssh: an alias, a name, user@name:port; with list WORKSPACEs",
    },
  ],
  examples: [
    { line: "herd hosts", meaning: "which clusters, and are they reached" },
    { line: "herd hosts list sweep/", meaning: "that of a sweep, with or without a daemon" },
    { line: "herd hosts check login", meaning: "does the way to the cluster work" },
    { line: "herd hosts login login", meaning: "give the daemon a one-time code" },
  ],
  async run(context) {
    const [action = "list", ...names] = context.positionals;
    switch (action) {
      case "list":
        return await (await import("./hosts/list-hosts.ts")).listHosts(context, names);
      case "check":
        return await (await import("./hosts/check-host.ts")).check(context, oneOf(action, names));
      case "login":
        return await (await import("./hosts/log-in.ts")).logIn(context, oneOf(action, names));
      default:
        throw new UserError(`Unknown action "${action}" of herd hosts`, {
          hint: `Allowed are ${ACTIONS.join(", ")}`,
        });
    }
  },
});

function oneOf(action: string, names: readonly string[]): string {
  const [name] = names;
  if (name !== undefined && name !== "" && names.length === 1) return name;
  throw new UserError(`Cannot ${action}: exactly one host must be named`, {
    hint: `Such as: herd hosts ${action} login`,
  });
}
