import { type Alias, type Document, isAlias, isMap, isScalar } from "yaml";
import { type Pair, parseDocument, type Scalar, type YAMLMap } from "yaml";
import {
  afterColon,
  endOf,
  endsInBlock,
  indentOf,
  isEmpty,
  lineEnd,
  stepOf,
} from "./yaml-extent.ts";
import { type Quoting, scalarText } from "./yaml-scalar-text.ts";

/** A scalar to be set in a YAML document, at a path of keys of nested mappings. */
export interface YamlEdit {
  path: readonly string[];
  value: string | number | boolean;
}

/** What stands in the way, as the end of a sentence. */
export interface Obstacle {
  obstacle: string;
}

interface Splice {
  start: number;
  end: number;
  text: string;
}

/** The source with one scalar set; every byte outside of what is replaced or put in stays. */
export function spliceYaml(source: string, edit: YamlEdit): string | Obstacle {
  const document = parseDocument(source, {
    schema: "failsafe",
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
    keepSourceTokens: true,
  });
  const found = findSplice(document, source, edit);
  if ("obstacle" in found) return found;
  return source.slice(0, found.start) + found.text + source.slice(found.end);
}

function findSplice(
  document: Document.Parsed,
  source: string,
  { path, value }: YamlEdit,
): Splice | Obstacle {
  let map: unknown = document.contents;
  for (const [i, key] of path.entries()) {
    if (!isMap(map)) return { obstacle: `${path.slice(0, i).join(".")} is not a mapping` };
    const pair = map.items.find((each) => keyOf(each) === key);
    const rest = path.slice(i + 1);
    if (pair === undefined) return addEntry(document, source, map, path.slice(i), value);
    if (rest.length === 0) return replaceValue(source, map, pair, value);
    if (!isMap(pair.value)) return replaceByMapping(document, source, map, pair, rest, value);
    map = pair.value;
  }
  return { obstacle: "there is no key to set" };
}

/** Gives a key that stands there another scalar. */
function replaceValue(
  source: string,
  owner: YAMLMap,
  pair: Pair,
  value: YamlEdit["value"],
): Splice | Obstacle {
  const old = pair.value;
  if (isAlias(old)) return over(old, scalarText(value));
  if (isEmpty(old)) return afterKey(owner, pair, scalarText(value));
  if (!isScalar(old)) return { obstacle: "it holds a list or a mapping" };
  if (old.tag !== undefined && (typeof value !== "string" || !/:str$|^!$/.test(old.tag))) {
    return { obstacle: `its value has the tag "${old.tag}"` };
  }
  const text = scalarText(value, quotingOf(old));
  if (!old.type?.startsWith("BLOCK")) return over(old, text);
  const [start, end] = old.range!;
  const [, comment = "", blank = ""] = /^[|>][^\s]*([ \t]+#[^\r\n]*)?[^]*?(\s*)$/.exec(
    source.slice(start, end),
  )!;
  return { start, end, text: text + comment + blank };
}

/** The key is there and holds no mapping: an alias of one, nothing, or something else. */
function replaceByMapping(
  document: Document.Parsed,
  source: string,
  owner: YAMLMap,
  pair: Pair,
  rest: readonly string[],
  value: YamlEdit["value"],
): Splice | Obstacle {
  const old = pair.value;
  const inner = flowEntry(rest, value);
  // The alias goes on to give what it gave; the mapping's own key wins over it.
  if (isAlias(old)) return over(old, `{<<: *${old.source}, ${inner}}`);
  if (!isEmpty(old)) {
    const isNull = isScalar(old) && /^(~|null)$/i.test(old.source ?? "") && old.type === "PLAIN";
    return isNull ? over(old, `{${inner}}`) : { obstacle: `${keyOf(pair)} is not a mapping` };
  }
  const colon = afterColon(pair);
  if (owner.flow === true || colon === undefined) return afterKey(owner, pair, `{${inner}}`);
  const indent = indentOf(source, owner) + stepOf(document, source);
  return insertLines(source, colon, blockLines(rest, value, indent, stepOf(document, source)));
}

/** Adds `a: {b: value}` for the keys a and b to a mapping that has no a of its own. */
function addEntry(
  document: Document.Parsed,
  source: string,
  map: YAMLMap,
  keys: readonly string[],
  value: YamlEdit["value"],
): Splice | Obstacle {
  const last = map.items.at(-1);
  if (map.flow === true) {
    const entry = flowEntry(keys, value);
    const at = last === undefined ? map.range![0] + 1 : endOf(last);
    return { start: at, end: at, text: last === undefined ? entry : `, ${entry}` };
  }
  if (last === undefined) return { obstacle: "its mapping is empty" };
  const indent = indentOf(source, map);
  const lines = blockLines(keys, value, indent, stepOf(document, source));
  if (map !== document.contents) return insertLines(source, endOf(last), lines);
  return appendLines(source, endOf(last), keys.length > 1 && !endsInBlock(last), lines);
}

/** Below everything, so that comments after the last key stay with it. */
function appendLines(
  source: string,
  from: number,
  apart: boolean,
  lines: readonly string[],
): Splice {
  const marker = /^\.\.\.(?=\s|$)/m.exec(source.slice(from));
  const at = marker === null ? source.length : from + marker.index;
  const eol = lineEnd(source);
  const ended = at === 0 || source[at - 1] === "\n";
  const blank = apart && !/(^|\n)[ \t]*\r?\n$/.test(source.slice(0, at)) ? eol : "";
  const text = (ended ? "" : eol) + blank + lines.map((line) => line + eol).join("");
  return { start: at, end: at, text };
}

/** In lines of their own, after the line in which `from` stands. */
function insertLines(source: string, from: number, lines: readonly string[]): Splice {
  const eol = lineEnd(source);
  // A block scalar ends behind its last line.
  const newline = source[from - 1] === "\n" ? from - 1 : source.indexOf("\n", from);
  const at = newline === -1 ? source.length : newline + 1;
  const text = newline === -1
    ? lines.map((line) => eol + line).join("")
    : lines.map((line) => line + eol).join("");
  return { start: at, end: at, text };
}

function blockLines(
  keys: readonly string[],
  value: YamlEdit["value"],
  indent: string,
  step: string,
): string[] {
  return keys.map((key, i) => {
    const end = i === keys.length - 1 ? ` ${scalarText(value)}` : "";
    return `${indent}${step.repeat(i)}${scalarText(key)}:${end}`;
  });
}

function flowEntry(keys: readonly string[], value: YamlEdit["value"]): string {
  const [key = "", ...rest] = keys;
  const inner = rest.length === 0 ? scalarText(value) : `{${flowEntry(rest, value)}}`;
  return `${scalarText(key)}: ${inner}`;
}

/** A value for a key that stands without one, `key:` or in `{key}` even without a colon. */
function afterKey(owner: YAMLMap, pair: Pair, text: string): Splice | Obstacle {
  const colon = afterColon(pair);
  if (colon !== undefined) return { start: colon, end: colon, text: ` ${text}` };
  const end = (pair.key as Scalar).range?.[1];
  if (end === undefined || owner.flow !== true) return { obstacle: "its key has no colon" };
  return { start: end, end, text: `: ${text}` };
}

function over(node: Alias | Scalar, text: string): Splice {
  const [start, end] = node.range!;
  return { start, end, text };
}

function keyOf({ key }: Pair): string | undefined {
  return isScalar(key) ? String(key.value) : undefined;
}

function quotingOf({ type }: Scalar): Quoting {
  return type === "QUOTE_SINGLE" ? "single" : type === "QUOTE_DOUBLE" ? "double" : "plain";
}
