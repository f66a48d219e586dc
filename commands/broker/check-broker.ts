import { EXIT } from "../../lib/base/exit-codes.ts";
import { count } from "../../lib/base/text.ts";
import { visible } from "../../lib/base/width.ts";
import type { BrokerContext } from "./options.ts";

/** Whether the configuration can be used, and how Discord takes each bot. */
export async function check(
  { values, out, json, env, clock, log, signal }: BrokerContext,
): Promise<number> {
  const { readBrokerSettings } = await import("../../lib/daemon/broker-settings.ts");
  const { checkBots } = await import("../../lib/daemon/broker-checkup.ts");
  const { herdConfigPath } = await import("../../lib/daemon/herd-config-file.ts");
  const notices: string[] = [];
  const settings = readBrokerSettings(env, ({ message }) => notices.push(message));
  const { broker } = settings;
  const { findConfinement } = await import("../../lib/daemon/confinement.ts");
  const { says } = await findConfinement(env);
  const findings = await checkBots(broker, {
    ...{ env: settings.env, clock, log, signal },
    asksDiscord: !values["no-discord"],
  });
  const bad = findings.filter(({ mark }) => mark === "bad").length;
  const file = herdConfigPath(env);
  if (json) {
    out.json({
      ok: bad === 0,
      file,
      notices,
      bots: broker.bots.map(({ name }) => name),
      sandbox: says,
      checks: findings.map(({ mark, message, mend }) => ({ mark, message, mend: mend ?? null })),
    });
    return bad === 0 ? EXIT.done : EXIT.negative;
  }
  const agents = Object.keys(broker.agents).length;
  out.print(`${file}: ${count(broker.bots.length, "bot")}, ${count(agents, "agent")}`);
  notices.forEach((notice) => out.print(`! ${visible(notice)}`));
  out.print(says);
  const { green, yellow, red, dim } = out.paint;
  const marks = { good: green("✓"), doubt: yellow("!"), bad: red("✗") };
  for (const { mark, message, mend } of findings) {
    out.print(`${marks[mark]} ${visible(message)}`);
    if (mend !== undefined) out.print(`    ${dim("→")} ${visible(mend)}`);
  }
  if (bad > 0) out.print(red(`${count(bad, "thing")} to mend`));
  return bad === 0 ? EXIT.done : EXIT.negative;
}
