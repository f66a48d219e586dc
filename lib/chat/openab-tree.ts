import { scalarText } from "../sweep/yaml-scalar-text.ts";

/** What is written of an imported configuration: keys in the order of the file. */
export type Tree = string | number | boolean | readonly Tree[] | {
  readonly [key: string]: Tree | undefined;
};

/** As YAML, below a key that stands `depth` levels deep. Texts that could be misread are quoted. */
export function treeLines(tree: { readonly [key: string]: Tree | undefined }, depth = 0): string[] {
  const indent = "  ".repeat(depth);
  return Object.entries(tree).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const head = `${indent}${keyText(key)}:`;
    if (!isBranch(value)) return [`${head} ${leaf(value)}`];
    const entries = Object.values(value).filter((one) => one !== undefined);
    if (!Array.isArray(value)) {
      return entries.length === 0
        ? []
        : [head, ...treeLines(value as Record<string, Tree>, depth + 1)];
    }
    if (value.every((one) => !isBranch(one))) return [`${head} [${value.map(leaf).join(", ")}]`];
    return [head, ...value.flatMap((one) => itemLines(one, depth + 1))];
  });
}

function itemLines(item: Tree, depth: number): string[] {
  const indent = "  ".repeat(depth);
  if (!isBranch(item)) return [`${indent}- ${leaf(item)}`];
  const lines = treeLines(item as Record<string, Tree>, depth + 1);
  return lines.map((line, i) => i === 0 ? `${indent}- ${line.trimStart()}` : line);
}

function leaf(value: Tree): string {
  return isBranch(value) ? "" : scalarText(value as string | number | boolean);
}

/** Ids are keys, too, and have to stay text. */
function keyText(key: string): string {
  return /^[A-Za-z_][\w.-]*$/.test(key) ? scalarText(key) : JSON.stringify(key);
}

function isBranch(value: Tree): value is readonly Tree[] | { readonly [key: string]: Tree } {
  return typeof value === "object";
}
