import { type Document, isMap, isPair, isScalar, isSeq } from "yaml";
import type { Pair, Scalar, YAMLMap } from "yaml";

/** Behind the colon, and behind an anchor or a tag that follows in its line. */
export function afterColon(pair: Pair): number | undefined {
  const tokens = pair.srcToken?.sep ?? [];
  const from = tokens.findIndex(({ type }) => type === "map-value-ind");
  if (from === -1) return undefined;
  const last = tokens.findLast(({ type }, i) => {
    return i >= from && (type === "map-value-ind" || type === "anchor" || type === "tag");
  })!;
  return last.offset + last.source.length;
}

/** Where the source of a mapping's entry, or of a list's item, ends. */
export function endOf(node: unknown): number {
  if (isPair(node) && isEmpty(node.value)) {
    return afterColon(node) ?? (node.key as Scalar).range![1];
  }
  const value = isPair(node) ? node.value : node;
  const inner = blockEnd(value);
  return inner === undefined ? (value as Scalar).range![1] : endOf(inner);
}

/** The last entry of a block mapping or list. */
function blockEnd(node: unknown): unknown {
  return (isMap(node) || isSeq(node)) && node.flow !== true ? node.items.at(-1) : undefined;
}

/** Whether the last thing is a block scalar, to which blank lines below could belong. */
export function endsInBlock(pair: Pair): boolean {
  let node: unknown = pair.value;
  for (let inner = blockEnd(node); inner !== undefined; inner = blockEnd(node)) {
    node = isSeq(node) ? inner : (inner as Pair).value;
  }
  return isScalar(node) && node.type?.startsWith("BLOCK") === true;
}

export function isEmpty(node: unknown): boolean {
  return node === null || node === undefined ||
    (isScalar(node) && node.source === "" && node.type === "PLAIN");
}

/** The blanks in front of a block mapping's keys. */
export function indentOf(source: string, map: YAMLMap): string {
  const start = (map.items[0]?.key as Scalar | undefined)?.range?.[0] ?? 0;
  return " ".repeat(start - (source.lastIndexOf("\n", start - 1) + 1));
}

/** By how much the file indents: as its first mapping within the root does. */
export function stepOf({ contents }: Document.Parsed, source: string): string {
  if (!isMap(contents)) return "  ";
  const inner = contents.items.find(({ value }) => isMap(value) && value.flow !== true);
  if (inner === undefined) return "  ";
  const step = indentOf(source, inner.value as YAMLMap).slice(indentOf(source, contents).length);
  return step === "" ? "  " : step;
}

export function lineEnd(source: string): string {
  const newline = source.indexOf("\n");
  return newline > 0 && source[newline - 1] === "\r" ? "\r\n" : "\n";
}
