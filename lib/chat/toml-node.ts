import { parse, TomlDate } from "smol-toml";
import type { Report, Spot } from "../sweep/report.ts";
import type { MappingNode, Node } from "../sweep/yaml-node.ts";

/**
 * TOML in the form in which YAML is read, so that both have the same rules. A table or a key knows
 * its line where the file has one for it; what stands inside of a value has the line of that.
 * Undefined, and in the report, when it is no TOML.
 */
export function readTomlNode(text: string, report: Report): MappingNode | undefined {
  try {
    // Ids are beyond 2^53: without this the library refuses them.
    const root = parse(text.replace(/^\uFEFF/, ""), { integersAsBigInt: "asNeeded" });
    const lines = text.split("\n");
    return mapping(root, { line: 1, column: 1, path: "" }, lines);
  } catch (error) {
    const { line, column } = error as { line?: unknown; column?: unknown };
    const spot: Spot = {
      line: typeof line === "number" ? line : 1,
      column: typeof column === "number" ? column : 1,
      path: "",
    };
    // The library's message goes on with a piece of the text.
    const [why = ""] = (error as Error).message.split("\n");
    return report.mistake(spot, `Cannot read TOML: ${why.replace(/^Invalid TOML document: /, "")}`);
  }
}

function mapping(value: object, at: Spot, lines: readonly string[]): MappingNode {
  const entries = Object.entries(value).map(([key, member]) => {
    const path = at.path === "" ? key : `${at.path}.${key}`;
    const spot = { ...lineOfKey(key, at, lines), path };
    return { key, at: spot, value: nodeOf(member, spot, lines) };
  });
  return { ...at, kind: "mapping", entries, head: at };
}

function nodeOf(value: unknown, at: Spot, lines: readonly string[]): Node {
  if (Array.isArray(value)) {
    const items = value.map((item, i) =>
      nodeOf(item, { ...lineOfTable(at, i, lines), path: `${at.path}[${i}]` }, lines)
    );
    return { ...at, kind: "list", items };
  }
  if (typeof value === "object" && value !== null && !(value instanceof TomlDate)) {
    return mapping(value, at, lines);
  }
  const text = plainText(value);
  return { ...at, kind: "scalar", text, plain: typeof value !== "string", spotOf: () => at };
}

/** A number that has lost digits does not look like one that has all of them. */
function plainText(value: unknown): string {
  if (typeof value !== "number" || Number.isSafeInteger(value) || Math.abs(value) < 2 ** 53) {
    return value instanceof TomlDate ? value.toISOString() : String(value);
  }
  return value.toExponential();
}

/** From the table's head down to the next head. */
function lineOfKey(key: string, at: Spot, lines: readonly string[]): Omit<Spot, "path"> {
  const head = /^\s*\[/;
  const own = new RegExp(`^\\s*["']?${escaped(key)}["']?\\s*=`);
  for (let i = head.test(lines[at.line - 1] ?? "") ? at.line : at.line - 1; i < lines.length; i++) {
    if (head.test(lines[i]!)) break;
    if (own.test(lines[i]!)) return { line: i + 1, column: lines[i]!.search(/\S/) + 1 };
  }
  return { line: at.line, column: at.column };
}

/** Of the tables that make up a list, each `[[path]]` is one. */
function lineOfTable(at: Spot, nth: number, lines: readonly string[]): Omit<Spot, "path"> {
  const parts = at.path.split(".").map((part) => `["']?${escaped(part)}["']?`);
  const head = new RegExp(`^\\s*\\[\\[\\s*${parts.join("\\s*\\.\\s*")}\\s*\\]\\]`);
  const line = lines.flatMap((one, i) => head.test(one) ? [i + 1] : [])[nth];
  return line === undefined ? { line: at.line, column: at.column } : { line, column: 1 };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
