/** deno task ok: what must hold before a commit, in a minute or two. */
import { runChecks } from "./checks.ts";
import { ensureInstalled } from "./setup.ts";
import { closingLine, SUITES } from "./test.ts";
import { NOTHING, runSuite, sum } from "./suites.ts";

if (import.meta.main) {
  await ensureInstalled();
  const checks = { ...NOTHING, failed: await runChecks() };
  const all = sum([checks, await runSuite(SUITES.unit), await runSuite(SUITES.contract)]);
  console.log(closingLine(all));
  Deno.exit(all.failed > 0 ? 1 : 0);
}
