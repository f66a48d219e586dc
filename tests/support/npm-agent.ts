import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProcess } from "../../lib/base/process.ts";

export interface NpmProgram {
  name: string;
  version: string;
  /** Below `node_modules`: what is run. */
  file: string;
  /** It is a program of the machine's own, in a package that is optional; else node runs it. */
  isNative?: boolean;
}

/**
 * A program of npm, of one exact version, in a cache outside the checkout; installed when it is not
 * there. A sentence when it cannot be had here.
 */
export async function npmAgent(
  { name, version, file, isNative = false }: NpmProgram,
): Promise<{ argv: string[] } | { missing: string }> {
  const root = process.env["HERD_TEST_CACHE"] ?? join(tmpdir(), "herd-npm-agents");
  const place = join(root, `${name.replaceAll(/[^a-z0-9]+/gi, "-")}-${version}`);
  const found = join(place, "node_modules", file);
  if (!existsSync(found)) {
    mkdirSync(place, { recursive: true });
    const words = ["--prefix", place, "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
    const optional = isNative ? [] : ["--omit=optional"];
    const done = await runProcess(
      ["npm", "install", ...words, ...optional, `${name}@${version}`],
      { timeoutMs: 240_000 },
    );
    if (!done.ok || !existsSync(found)) return { missing: `npm cannot install ${name} here` };
  }
  if (isNative) return { argv: [found] };
  const node = await runProcess(["node", "--version"], { timeoutMs: 10_000 });
  return node.ok ? { argv: ["node", found] } : { missing: "there is no node here" };
}
