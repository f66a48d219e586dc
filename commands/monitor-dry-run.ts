import { EXIT } from "../lib/base/exit-codes.ts";
import { totalsText } from "../lib/words/amount-text.ts";
import { ownCommandLine, say } from "./open.ts";
import type { MonitorContext } from "./monitor-options.ts";

/** Shows the state, what the rules would decide, and what the agent would be told. Writes nothing. */
export async function dryRun(
  { out, env, clock, signal, values, json }: MonitorContext,
  workspaces: readonly string[],
): Promise<number> {
  const { previewSweep } = await import("../lib/daemon/preview-sweep.ts");
  const documents = [];
  for (const workspace of workspaces) {
    const found = await previewSweep({
      workspace,
      env,
      clock,
      signal,
      self: ownCommandLine(),
      noAgent: values["no-agent"] ?? false,
      scheduler: values.local ? "local" : undefined,
      onWarning: (message) => say(out, message),
    });
    documents.push(found);
    if (json) continue;
    const { bold } = out.paint;
    out.print(bold(`${found.sweep} in ${found.path}`));
    out.print(found.credentials.replace(/^(?!No agent)/, "Agent: "));
    out.print(
      `Trials: ${totalsText(found.totals)}`,
    );
    out.print();
    out.print(bold("What it would do"));
    for (const decision of found.decisions) out.print(`  - ${decision}`);
    out.print();
    out.print(bold("What the agent would be told"));
    out.print(found.prompt);
  }
  if (json) out.json(documents.length === 1 ? documents[0] : documents);
  return EXIT.done;
}
