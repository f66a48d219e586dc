import { nearest } from "../base/text.ts";
import { cleanLine } from "./quote-data.ts";

/** The part of JSON Schema that tools use. */
export interface SchemaNode {
  type?: string;
  description?: string;
  enum?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  items?: SchemaNode;
  anyOf?: readonly SchemaNode[];
  properties?: Readonly<Record<string, SchemaNode>>;
  required?: readonly string[];
}

interface Issue {
  code?: string | undefined;
  path: readonly PropertyKey[];
  keys?: readonly string[];
}

/** One sentence on the first thing that is wrong: the argument, what was found there, what is wanted. */
export function describeMistake(
  issues: readonly Issue[],
  { sent, schema, tool }: { sent: unknown; schema: SchemaNode; tool: string },
): string {
  const names = Object.keys(schema.properties ?? {});
  if (sent !== null && sent !== undefined && (typeof sent !== "object" || Array.isArray(sent))) {
    return `Cannot use the input of ${tool}: found ${show(sent)}, wanted an object with ${
      list(names)
    }`;
  }
  // A misspelt name explains the argument that is missing; it is told first.
  const strange = issues.find(({ code }) => code === "unrecognized_keys")?.keys?.[0];
  if (strange !== undefined) return unknownArgument(strange, { names, tool });
  const path = issues[0]?.path ?? [];
  const [name] = path;
  const wanted = wantedOf(nodeAt(schema, path.slice(0, 1)));
  return `Cannot use argument "${String(name)}" of ${tool}: found ${
    show(valueAt(sent, path.slice(0, 1)))
  }, wanted ${wanted}`;
}

function unknownArgument(name: string, { names, tool }: { names: string[]; tool: string }): string {
  const shown = cleanLine(name, 60);
  const near = nearest(name.slice(0, 60), names);
  const known = names.length === 0 ? "it takes none" : `it takes ${list(names)}`;
  return `Cannot use argument "${shown}": ${tool} has no such argument, ${known}` +
    (near === undefined ? "" : `; did you mean "${near}"?`);
}

/** What an argument must be, in words: "a whole number from 1 to 1000". */
export function wantedOf(node: SchemaNode | undefined): string {
  if (node === undefined) return "something else";
  if (node.anyOf !== undefined) return node.anyOf.map(wantedOf).join(" or ");
  if (node.enum !== undefined) return `one of ${node.enum.map((one) => show(one)).join(", ")}`;
  switch (node.type) {
    case "integer":
      return `a whole number${rangeOf(node.minimum, node.maximum)}`;
    case "number":
      return `a number${rangeOf(node.minimum, node.maximum)}`;
    case "boolean":
      return "true or false";
    case "array":
      return `a list${sizeOf(node.minItems, node.maxItems)} of items that are each ${
        wantedOf(node.items)
      }`;
    case "string":
      return node.maxLength === undefined
        ? "a text"
        : `a text of ${node.minLength ?? 0} to ${node.maxLength} characters`;
    default:
      return `a value of type ${node.type ?? "any"}`;
  }
}

function rangeOf(least: number | undefined, most: number | undefined): string {
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  if (least !== undefined) return ` of at least ${least}`;
  return most === undefined ? "" : ` of at most ${most}`;
}

function sizeOf(least: number | undefined, most: number | undefined): string {
  return least === undefined && most === undefined
    ? ""
    : ` (${least ?? 0} to ${most ?? "any number"})`;
}

function nodeAt(schema: SchemaNode, [name]: readonly PropertyKey[]): SchemaNode | undefined {
  const { properties = {} } = schema;
  return typeof name === "string" && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function valueAt(sent: unknown, [name]: readonly PropertyKey[]): unknown {
  if (typeof sent !== "object" || sent === null || typeof name !== "string") return undefined;
  return Object.hasOwn(sent, name) ? (sent as Record<string, unknown>)[name] : undefined;
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number") return String(value);
  return cleanLine(JSON.stringify(value) ?? String(value), 80);
}

function list(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
