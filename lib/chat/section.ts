import {
  type Fields,
  readBoolean,
  readChoice,
  readFields,
  readText,
  readWhole,
} from "../sweep/fields.ts";
import { readSpan } from "../sweep/read-span.ts";
import type { Report } from "../sweep/report.ts";
import type { Node } from "../sweep/yaml-node.ts";
import { readSize } from "./read-size.ts";

/**
 * A mapping of settings, each with what counts where the file says nothing. What could not be read
 * is in the report, and has its default here.
 */
export interface Section<Key extends string> {
  readonly fields: Fields;
  at(key: Key): Node | undefined;
  read<T>(key: Key, reader: (node: Node, report: Report) => T | undefined, usual: T): T;
  yes(key: Key, usual: boolean): boolean;
  choice<T extends string>(key: Key, choices: readonly T[], usual: T): T;
  whole(key: Key, range: { least: number; most: number }, usual: number): number;
  /** Milliseconds, here and in the default; the range is in seconds. */
  span(key: Key, range: { least: number; most: number }, usual: number): number;
  /** Bytes. */
  size(key: Key, most: number, usual: number): number;
  text(key: Key): string | undefined;
}

/** Undefined when the node is no mapping, or is not there. */
export function openSection<Key extends string>(
  node: Node | undefined,
  keys: readonly Key[],
  report: Report,
): Section<Key> | undefined {
  const fields = node === undefined ? undefined : readFields(node, keys, report);
  if (fields === undefined) return undefined;
  const at = (key: Key) => fields.get(key)?.value;
  const read = <T>(key: Key, reader: (node: Node, report: Report) => T | undefined, usual: T) => {
    const value = at(key);
    return value === undefined ? usual : reader(value, report) ?? usual;
  };
  return {
    fields,
    at,
    read,
    yes: (key, usual) => read(key, readBoolean, usual),
    choice: (key, choices, usual) =>
      read(key, (value) => readChoice(value, choices, report), usual),
    whole: (key, range, usual) => read(key, (value) => readWhole(value, report, range), usual),
    span: (key, range, usual) => read(key, (value) => milliseconds(value, range, report), usual),
    size: (key, most, usual) => read(key, (value) => readSize(value, most, report), usual),
    text: (key) => read<string | undefined>(key, (value) => readText(value, report), undefined),
  };
}

function milliseconds(
  node: Node,
  range: { least: number; most: number },
  report: Report,
): number | undefined {
  const seconds = readSpan(node, report, range);
  return seconds === undefined ? undefined : seconds * 1000;
}
