import { EXIT } from "../../lib/base/exit-codes.ts";
import type { Finding } from "../../lib/base/finding.ts";
import type { Terminal } from "../../lib/base/terminal.ts";
import { count } from "../../lib/base/text.ts";
import { visible } from "../../lib/base/width.ts";
import type { PoolContext } from "./options.ts";

/** Whether the configuration can be used, what tasks it allows, and how Discord takes it. */
export async function check(
  { values, out, json, env, clock, log, signal }: PoolContext,
): Promise<number> {
  const { readPoolConfig } = await import("../../lib/daemon/pool-settings.ts");
  const { herdConfigPath } = await import("../../lib/daemon/herd-config-file.ts");
  const notices: string[] = [];
  const config = readPoolConfig(env, ({ message }) => notices.push(message));
  const { findConfinement } = await import("../../lib/daemon/confinement.ts");
  const { says } = await findConfinement(env);
  const { checkBackends, checkPoolDiscord } = await import("../../lib/daemon/pool-checkup.ts");
  const { discord } = config;
  const findings = [
    ...checkBackends(config, env),
    ...(discord === undefined || values["no-discord"]
      ? []
      : await checkPoolDiscord(discord, { env, clock, log, signal })),
  ];
  const bad = findings.filter(({ mark }) => mark === "bad").length;
  if (json) {
    out.json({
      ok: bad === 0,
      file: herdConfigPath(env),
      notices,
      models: Object.keys(config.models),
      sandbox: says,
      checks: findings.map(({ mark, message, mend }) => ({ mark, message, mend: mend ?? null })),
    });
    return bad === 0 ? EXIT.done : EXIT.negative;
  }
  out.print(
    `${herdConfigPath(env)}: ${count(Object.keys(config.models).length, "model")}, ` +
      `${count(Object.keys(config.backends).length, "backend")}, ` +
      `${discord === undefined ? "not on Discord" : `Discord server ${discord.guildId}`}`,
  );
  notices.forEach((notice) => out.print(`! ${visible(notice)}`));
  out.print(says);
  showFindings(out, findings);
  if (bad > 0) out.print(out.paint.red(`${count(bad, "thing")} to mend`));
  return bad === 0 ? EXIT.done : EXIT.negative;
}

function showFindings(out: Terminal, findings: readonly Finding[]): void {
  const { green, yellow, red, dim } = out.paint;
  const marks = { good: green("✓"), doubt: yellow("!"), bad: red("✗") };
  for (const { mark, message, mend } of findings) {
    out.print(`${marks[mark]} ${visible(message)}`);
    if (mend !== undefined) out.print(`    ${dim("→")} ${visible(mend)}`);
  }
}
