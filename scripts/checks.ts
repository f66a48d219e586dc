import { run } from "./setup.ts";

const SOURCES = ["main.ts", "lib", "commands", "scripts", "tests"];

/** What must hold before a test runs, cheapest first. Prints the complaints; gives back how many failed. */
export async function runChecks(): Promise<number> {
  const deno = Deno.execPath();
  const checks: Record<string, string[]> = {
    "format": [deno, "fmt", "--check", "--quiet"],
    "lint": [deno, "lint", "--quiet"],
    "import cycles": [deno, "run", "--allow-read", "scripts/cycles.ts"],
    "types": [deno, "check", "--quiet", ...SOURCES],
  };
  let failed = 0;
  for (const [name, argv] of Object.entries(checks)) {
    const ok = await run(argv) === 0;
    console.log(`${ok ? "ok    " : "FAILED"} ${name}`);
    if (!ok) failed++;
  }
  return failed;
}
