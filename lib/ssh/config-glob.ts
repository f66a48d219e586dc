import { readdirSync } from "node:fs";
import { join } from "node:path";
import { statSync } from "node:fs";

/** Files of an absolute pattern with `*`, `?` and `[…]`, sorted; a name with a leading dot wants its dot. */
export function globFiles(pattern: string): string[] {
  let found = ["/"];
  for (const part of pattern.split("/").filter((one) => one !== "")) {
    found = found.flatMap((folder) => expand(folder, part));
  }
  return found.filter(exists);
}

function expand(folder: string, part: string): string[] {
  if (!/[*?[]/.test(part)) return [join(folder, part)];
  const wanted = expressionOf(part);
  return namesIn(folder)
    .filter((name) => wanted.test(name) && (part.startsWith(".") || !name.startsWith(".")))
    .sort()
    .map((name) => join(folder, name));
}

function expressionOf(part: string): RegExp {
  const text = part.replace(/\[!?\]?[^\]]*\]|[\s\S]/g, (piece) => {
    if (piece === "*") return ".*";
    if (piece === "?") return ".";
    if (piece.length > 1) {
      const negated = piece[1] === "!";
      const inside = piece.slice(negated ? 2 : 1, -1).replace(/[\\\]^]/g, "\\$&");
      return `[${negated ? "^" : ""}${inside}]`;
    }
    return piece.replace(/[\\^$.|+(){}[\]]/, "\\$&");
  });
  return new RegExp(`^${text}$`, "s");
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
