import { isMap, isScalar, type Pair, parseDocument } from "yaml";
import { UserError } from "../base/errors.ts";
import { isNull } from "./fields.ts";
import { createReport } from "./report.ts";
import { readYaml } from "./yaml-document.ts";
import type { MappingNode } from "./yaml-node.ts";
import { difference, type Tree, treeOf } from "./yaml-tree.ts";

/** One key of the top level, and what is to stand there: `text` is `name:` with lines below it. */
export interface Section {
  name: string;
  text: string;
}

const BEGIN = { begin: "Write the file anew", example: "pool:" };
const BOM = "\uFEFF";

/** Whether the top level has this key with something in it. Throws UserError for what is no YAML. */
export function hasSection(source: string, file: string, name: string): boolean {
  const entry = rootOf(source, file)?.entries.find(({ key }) => key === name);
  return entry !== undefined && !isNull(entry.value);
}

/**
 * The file with the section put in place of one of that name, else below everything. All else stays
 * byte for byte, comments too. Throws UserError where that cannot be done; it is proved by reading.
 */
export function putSection(source: string, file: string, section: Section): string {
  const before = rootOf(source, file);
  const put = before === undefined
    ? append(source, source.length, section.text)
    : spliced(source, section);
  if (put === undefined || !isProved(before, put, file, section)) {
    throw new UserError(
      `Cannot put the section "${section.name}" into "${file}" as it is written`,
      {
        hint:
          "Give the keys of its top level no indentation and no braces, or put it there by hand",
      },
    );
  }
  return put;
}

/** Undefined for a file in which everything is commented out. */
function rootOf(source: string, file: string): MappingNode | undefined {
  const isEmpty = source.replace(BOM, "").split("\n")
    .every((line) => /^\s*(#.*|---\s*)?$/.test(line));
  if (isEmpty) return undefined;
  const report = createReport(file);
  const root = readYaml(source, report, BEGIN);
  report.settle();
  return root;
}

function spliced(source: string, { name, text }: Section): string | undefined {
  const from = source.startsWith(BOM) ? 1 : 0;
  const { contents } = parseDocument(source.slice(from), {
    schema: "failsafe",
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  if (!isMap(contents) || contents.flow === true) return undefined;
  const starts = contents.items.map((pair) => from + startOf(pair));
  // An indented top level would make a section without indentation something else.
  if (starts.some((at) => at > from && source[at - 1] !== "\n")) return undefined;
  const index = contents.items.findIndex(({ key }) => isScalar(key) && `${key.value}` === name);
  if (index < 0) return append(source, endMarker(source), text);
  const start = starts[index]!;
  const end = lineAfter(source, start);
  return `${source.slice(0, start)}${endedAs(source, text)}${source.slice(end)}`;
}

function startOf({ key }: Pair): number {
  return isScalar(key) ? key.range?.[0] ?? 0 : 0;
}

/** Where the lines of a section end: with the last one that is indented. */
function lineAfter(source: string, start: number): number {
  let end = nextLine(source, start);
  for (let at = end; at < source.length;) {
    const next = nextLine(source, at);
    const line = source.slice(at, next);
    if (!/^(\s|$)/.test(line)) break;
    if (line.trim() !== "") end = next;
    at = next;
  }
  return end;
}

function nextLine(source: string, at: number): number {
  const newline = source.indexOf("\n", at);
  return newline < 0 ? source.length : newline + 1;
}

function endMarker(source: string): number {
  const marker = /^\.\.\.(?=\s|$)/m.exec(source);
  return marker === null ? source.length : marker.index;
}

function append(source: string, at: number, text: string): string {
  const before = source.slice(0, at);
  const eol = source.includes("\r\n") ? "\r\n" : "\n";
  const ended = before === "" || before.endsWith("\n") ? "" : eol;
  const apart = before.trim() === "" || /\n\r?\n$/.test(before) ? "" : eol;
  return `${before}${ended}${apart}${endedAs(source, text)}${source.slice(at)}`;
}

function endedAs(source: string, text: string): string {
  return source.includes("\r\n") ? text.replaceAll("\n", "\r\n") : text;
}

/** Everything else says what it said, and the section what it is to say. */
function isProved(
  before: MappingNode | undefined,
  after: string,
  file: string,
  { name, text }: Section,
): boolean {
  try {
    const found = treeOf(rootOf(after, file)!);
    const wanted = treeOf(rootOf(text, file)!);
    const others = before === undefined ? new Map<string, Tree>() : entriesOf(treeOf(before));
    const entries = new Map([...others, ...entriesOf(wanted)]);
    return entriesOf(wanted).has(name) &&
      difference({ kind: "mapping", entries }, found) === undefined;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

function entriesOf(tree: Tree): ReadonlyMap<string, Tree> {
  return tree.kind === "mapping" ? tree.entries : new Map();
}
