import { EXIT } from "../../lib/base/exit-codes.ts";
import type { Finding } from "../../lib/base/finding.ts";
import { visible } from "../../lib/base/width.ts";
import type { Context } from "../command.ts";
import { terminalAsker } from "../terminal-asker.ts";

/** Goes the way to a host as ssh would, and prints each step. */
export async function check(context: Context, name: string): Promise<number> {
  const { out, json, env, clock, log, signal } = context;
  const { checkHost } = await import("../../lib/daemon/check-host.ts");
  const { green, yellow, red, dim } = out.paint;
  const marks = { good: green("✓"), doubt: yellow("!"), bad: red("✗") };
  const findings: Finding[] = [];
  const { ok, facts, look } = await checkHost(name, {
    ...{ env, clock, log, signal, asker: terminalAsker() },
    onFinding(finding) {
      findings.push(finding);
      if (json) return;
      out.print(`${marks[finding.mark]} ${visible(finding.message)}`);
      if (finding.mend !== undefined) out.print(`    ${dim("→")} ${visible(finding.mend)}`);
    },
  });
  if (json) {
    out.json({
      ok,
      host: name,
      user: facts?.user ?? null,
      address: facts?.address ?? null,
      port: facts?.port ?? null,
      jumps: facts?.jumps ?? [],
      method: facts?.method ?? null,
      host_key: facts?.hostKey ?? null,
      shell: look?.shell ?? null,
      home: look?.home ?? null,
      system: look?.system ?? null,
      slurm: look?.slurm ?? null,
      clock_ahead_seconds: look?.ahead ?? null,
      gnu_find: look?.gnuFind ?? null,
      herd: look?.herd ?? null,
      checks: findings.map(({ mark, message, mend }) => ({ mark, message, mend: mend ?? null })),
    });
  }
  return ok ? EXIT.done : EXIT.negative;
}
