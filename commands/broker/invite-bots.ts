import { UserError } from "../../lib/base/errors.ts";
import { EXIT } from "../../lib/base/exit-codes.ts";
import { visible } from "../../lib/base/width.ts";
import { say } from "../open.ts";
import type { BrokerContext } from "./options.ts";

/** Links by which a person adds the bots to a server, with what they need and no more. */
export async function invite(
  { values, env, clock, log, signal, out, json }: BrokerContext,
): Promise<number> {
  const { inviteConversing } = await import("../../lib/daemon/broker-invite.ts");
  const bots = await inviteConversing(values["token-env"], { env, clock, log, signal });
  const known = bots.filter(({ url }) => url !== undefined);
  if (known.length === 0) {
    const names = bots.map(({ variable }) => variable).join(", ");
    throw new UserError("Cannot make a link: there is no bot's token to ask Discord with", {
      hint: `Set ${names}, or name another variable with --token-env`,
    });
  }
  if (json) {
    out.json({ bots: known.map(({ bot, name, url }) => ({ bot, name, url })) });
    return EXIT.done;
  }
  for (const { bot, name, url, variable } of bots) {
    if (url === undefined) say(out, `The bot "${bot}": ${variable} is not set`);
    else out.print(`The bot "${bot}", ${visible(name ?? "")}:\n${url}`);
  }
  return EXIT.done;
}
