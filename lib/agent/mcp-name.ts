import { createHash } from "node:crypto";

/** Longest name of a tool that models accept. */
const LONGEST = 64;

/**
 * `<server>__<tool>` in letters, digits and underscores, at most 64 characters
 * and not in `taken`. Names that had to be changed beyond that get a piece of
 * their digest, so that the same tool always has the same name.
 */
export function offeredName(server: string, tool: string, taken: ReadonlySet<string>): string {
  const plain = `${safe(server)}__${safe(tool)}`;
  if (plain.length <= LONGEST && !taken.has(plain)) return plain;
  const digest = createHash("sha256").update(`${server}\n${tool}`).digest("hex").slice(0, 8);
  return `${plain.slice(0, LONGEST - digest.length - 1)}_${digest}`;
}

function safe(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, "_");
}
