import { UserError } from "../../lib/base/errors.ts";
import { EXIT } from "../../lib/base/exit-codes.ts";
import { visible } from "../../lib/base/width.ts";
import type { PoolContext } from "./options.ts";

/** Links by which a person adds the pool's bot, or the own bots of workers, to the server. */
export async function inviteBots(
  { values, env, clock, log, signal, out, json }: PoolContext,
): Promise<number> {
  const { inviteCoordinator, inviteWorkers } = await import("../../lib/daemon/pool-invite.ts");
  const asked = { env, clock, log, signal };
  const wanted = { ids: values.bot, variables: values["token-env"] };
  const isForWorkers = wanted.ids.length + wanted.variables.length > 0;
  const workers = await inviteWorkers(wanted, asked);
  const own = isForWorkers ? undefined : await inviteCoordinator(asked);
  if (!isForWorkers && own === undefined) {
    throw new UserError("Cannot make a link: there is no bot's token to ask Discord with", {
      hint: "Set DISCORD_BOT_TOKEN, or give the client ids of workers' bots with --bot ID",
    });
  }
  if (json) {
    out.json({ coordinator: own ?? null, workers });
    return EXIT.done;
  }
  if (own !== undefined) {
    out.print(`The pool's bot "${visible(own.name ?? own.bot)}", with what it needs:`);
    out.print(own.url);
  }
  for (const { bot, name, url } of workers) {
    out.print(`The worker's bot ${name === undefined ? bot : `"${visible(name)}"`}:`);
    out.print(url);
  }
  return EXIT.done;
}
