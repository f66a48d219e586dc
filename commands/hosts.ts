import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import type { Finding } from "../lib/base/finding.ts";
import { visible } from "../lib/base/width.ts";
import { defineCommand } from "./command.ts";
import { terminalAsker } from "./terminal-asker.ts";

export const command = defineCommand({
  name: "hosts",
  summary: "Computers behind ssh: try the way to one, step by step",
  details:
    "check NAME reads ~/.ssh/config as ssh does, connects, logs in (asking for a passphrase, a\n" +
    "password or a code where one is wanted), and says what is there. Exits with 1 when the way\n" +
    "does not lead all through (✗).",
  arguments: [
    { name: "ACTION", description: "check" },
    { name: "NAME", description: "As for ssh: an alias, a name, user@name:port" },
  ],
  examples: [{ line: "herd hosts check login", meaning: "does the way to the cluster work" }],
  async run({ positionals, out, json, env, clock, log, signal }) {
    const [action, name = ""] = positionals;
    if (action !== "check") {
      throw new UserError(`Cannot do "${action}" with hosts: there is no such action`, {
        hint: "The action is check",
      });
    }
    const { checkHost } = await import("../lib/daemon/check-host.ts");
    const { green, yellow, red, dim } = out.paint;
    const marks = { good: green("✓"), doubt: yellow("!"), bad: red("✗") };
    const findings: Finding[] = [];
    const { ok, facts, ...found } = await checkHost(name, {
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
        shell: found.shell ?? null,
        home: found.home ?? null,
        system: found.system ?? null,
        slurm: found.slurm ?? null,
        checks: findings.map(({ mark, message, mend }) => ({ mark, message, mend: mend ?? null })),
      });
    }
    return ok ? EXIT.done : EXIT.negative;
  },
});
