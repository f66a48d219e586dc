import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProcess } from "../../lib/base/process.ts";

/**
 * A program of npm, of one exact version, in a cache outside the checkout; installed when it is not
 * there. A sentence when it cannot be had here.
 */
export async function npmAgent(
  { name, version, file }: { name: string; version: string; file: string },
): Promise<{ argv: string[] } | { missing: string }> {
  const root = process.env["HERD_TEST_CACHE"] ?? join(tmpdir(), "herd-npm-agents");
  const place = join(root, `${name.replaceAll(/[^a-z0-9]+/gi, "-")}-${version}`);
  const found = join(place, "node_modules", name, file);
  if (!existsSync(found)) {
    mkdirSync(place, { recursive: true });
    const words = ["--prefix", place, "--no-save", "--omit=optional", "--ignore-scripts"];
    const done = await runProcess(
      ["npm", "install", ...words, "--no-audit", "--no-fund", `${name}@${version}`],
      { timeoutMs: 120_000 },
    );
    if (!done.ok) return { missing: `npm cannot install ${name} here` };
  }
  const node = await runProcess(["node", "--version"], { timeoutMs: 10_000 });
  return node.ok ? { argv: ["node", found] } : { missing: "there is no node here" };
}
