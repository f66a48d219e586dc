import { Lexer } from "yaml";
import type { MappingNode, Node } from "./yaml-node.ts";
import { readPlain } from "./yaml-scalar.ts";

/** What a document says, without where and how it is written. */
export type Tree =
  | { kind: "scalar"; text: string; plain: boolean }
  /** What an edit wants to find. */
  | { kind: "wanted"; value: string | number | boolean }
  | { kind: "list"; items: readonly Tree[] }
  | { kind: "mapping"; entries: ReadonlyMap<string, Tree> };

export function treeOf(node: Node): Tree {
  switch (node.kind) {
    case "scalar":
      return { kind: "scalar", text: node.text, plain: node.plain };
    case "list":
      return { kind: "list", items: node.items.map(treeOf) };
    case "mapping":
      return { kind: "mapping", entries: entriesOf(node) };
  }
}

function entriesOf(node: MappingNode): ReadonlyMap<string, Tree> {
  return new Map(node.entries.map(({ key, value }) => [key, treeOf(value)]));
}

/** The tree with a value at a path; what is missing on the way is made, what is no mapping replaced. */
export function withValue(
  tree: Tree | undefined,
  path: readonly string[],
  value: string | number | boolean,
): Tree {
  const [key, ...rest] = path;
  if (key === undefined) return { kind: "wanted", value };
  const entries = tree?.kind === "mapping" ? tree.entries : new Map<string, Tree>();
  const inner = withValue(entries.get(key), rest, value);
  return { kind: "mapping", entries: new Map([...entries, [key, inner]]) };
}

/** The path of the first difference, such as `conditions[0].slurm.mem`; undefined when there is none. */
export function difference(
  wanted: Tree | undefined,
  found: Tree | undefined,
  path = "",
): string | undefined {
  if (wanted?.kind === "wanted") return isWritten(wanted.value, found) ? undefined : path;
  if (wanted === undefined || found === undefined || wanted.kind !== found.kind) return path;
  if (wanted.kind === "scalar" && found.kind === "scalar") {
    return wanted.text === found.text && wanted.plain === found.plain ? undefined : path;
  }
  if (wanted.kind === "list" && found.kind === "list") {
    const n = Math.max(wanted.items.length, found.items.length);
    return first(
      Array.from({ length: n }, (_, i) => [`${path}[${i}]`, wanted.items[i], found.items[i]]),
    );
  }
  if (wanted.kind === "mapping" && found.kind === "mapping") {
    const keys = [...new Set([...wanted.entries.keys(), ...found.entries.keys()])];
    return first(keys.map((key) => [
      path === "" ? key : `${path}.${key}`,
      wanted.entries.get(key),
      found.entries.get(key),
    ]));
  }
  return path;
}

function first(
  pairs: readonly [string, Tree | undefined, Tree | undefined][],
): string | undefined {
  for (const [path, wanted, found] of pairs) {
    const at = difference(wanted, found, path);
    if (at !== undefined) return at;
  }
  return undefined;
}

function isWritten(value: string | number | boolean, found: Tree | undefined): boolean {
  if (found?.kind !== "scalar") return false;
  if (typeof value === "string") {
    return found.text === value && (!found.plain || readPlain(value).value === value);
  }
  return found.plain && readPlain(found.text).value === value;
}

/** All comments, in the order of the file. */
export function commentsOf(source: string): readonly string[] {
  const comments: string[] = [];
  let scalar = false;
  for (const token of new Lexer().lex(source)) {
    if (token.startsWith("#") && !scalar) comments.push(token);
    // The lexer announces a scalar with this character.
    scalar = token === "\u001f";
  }
  return comments;
}
