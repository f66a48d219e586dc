import { hostname, userInfo } from "node:os";
import { UserError } from "../../lib/base/errors.ts";
import { EXIT } from "../../lib/base/exit-codes.ts";
import type { Terminal } from "../../lib/base/terminal.ts";
import { count } from "../../lib/base/text.ts";
import { visible } from "../../lib/base/width.ts";
import { createControlClient } from "../../lib/control/client.ts";
import { findDaemon } from "../../lib/control/find-daemon.ts";
import type { BotStatus, BrokerStatus } from "../../lib/control/station.ts";
import { userPlace } from "../../lib/control/user-place.ts";
import { ageText } from "../task/show-task.ts";
import type { BrokerContext } from "./options.ts";

/** What the bots of the daemon do now. */
export async function show({ values, out, json, env, signal }: BrokerContext): Promise<number> {
  const daemon = await findDaemon(userPlace(env, userInfo().uid, hostname()), { signal });
  if (daemon === undefined) {
    throw new UserError("Cannot tell of the broker: no daemon runs", {
      hint: "`herd broker start --detach` starts one; what was said meanwhile is answered then",
    });
  }
  const { address, token } = daemon;
  const client = createControlClient({ address, token, way: "cli" });
  const status = await client.request<BrokerStatus>("GET", "/v1/broker", undefined, { signal });
  if (json) out.json(status);
  else showAll(out, status);
  return values.connected && !areAllConnected(status) ? EXIT.negative : EXIT.done;
}

function areAllConnected({ bots, missing }: BrokerStatus): boolean {
  return bots.length > 0 && missing.length === 0 &&
    bots.every(({ connection: { phase } }) => phase === "connected");
}

function showAll(out: Terminal, { bots, missing, mistake }: BrokerStatus): void {
  const { yellow } = out.paint;
  for (const bot of bots) showBot(out, bot);
  if (bots.length === 0) out.print("No bot is open: `herd broker check` says why");
  for (const { name, why } of missing) out.print(yellow(`! ${name}: ${visible(why)}`));
  for (const line of mistake?.split("\n") ?? []) out.print(yellow(`! ${visible(line)}`));
}

function showBot(out: Terminal, bot: BotStatus): void {
  const { green, yellow, dim } = out.paint;
  const { connection: { phase, detail, hint }, agents, today } = bot;
  const as = bot.user === null ? "" : ` as @${visible(bot.user.name)}`;
  const how = phase === "connected" ? green(phase) : yellow(phase);
  const why = detail === null ? "" : `: ${visible(detail)}`;
  out.print(`${bot.name}${as} ${how}${why}`);
  // A daemon of an earlier build may answer, which tells none.
  if (hint) out.print(`    ${dim("→")} ${visible(hint)}`);
  const budget = today.budget_usd === null ? "" : ` of $${today.budget_usd}`;
  out.print(
    `    ${count(bot.conversations, "conversation")}, ${count(bot.waiting, "message")} waiting, ` +
      `${agents.live} of ${agents.most} agents live, today $${today.usd.toFixed(2)}${budget}`,
  );
  if (agents.waiting > 0) {
    out.print(yellow(`    ${count(agents.waiting, "turn")} wait for an agent`));
  }
  if (bot.untold > 0) out.print(yellow(`    ${count(bot.untold, "answer")} not shown yet`));
  const now = Date.now();
  for (const { conversation, state, active_at: at, asks } of bot.turns) {
    const asked = asks === null ? "" : `: ${visible(asks)}`;
    out.print(
      `    ${conversation} ${state}${asked} ${dim(`(last sign ${ageText(now - at)} ago)`)}`,
    );
  }
}
