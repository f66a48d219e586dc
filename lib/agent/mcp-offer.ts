import { nearest } from "../base/text.ts";
import { fitSchema, isRecord } from "./mcp-schema.ts";
import type { Schema } from "./mcp-schema.ts";
import { cleanText, cut } from "./quote-data.ts";

/** A tool of another program's as it may be shown to a model. */
export interface OfferedTool {
  /** As the server calls it. */
  name: string;
  description: string;
  schema: Schema;
  /** The server says that it changes nothing. */
  readOnly: boolean;
}

export interface Offer {
  tools: readonly OfferedTool[];
  /** What was left out and why, in sentences without the server's name. */
  problems: readonly string[];
}

/** Every tool costs tokens with every call to the model. */
const MOST_TOOLS = 64;
const LONGEST_DESCRIPTION = 1_000;

/**
 * Reads the tools of a `tools/list` answer. What is malformed is left out, so that one bad tool
 * costs none of the others. `allowed`: names that the agent may call; undefined for all.
 */
export function readOffer(
  items: readonly unknown[],
  allowed: readonly string[] | undefined,
): Offer {
  const tools = new Map<string, OfferedTool>();
  const problems: string[] = [];
  const names: string[] = [];
  let nameless = 0;
  for (const item of items) {
    if (!isRecord(item) || typeof item["name"] !== "string" || item["name"] === "") {
      nameless += 1;
      continue;
    }
    const name = item["name"];
    names.push(name);
    if (allowed !== undefined && !allowed.includes(name)) continue;
    const fitted = fitSchema(item["inputSchema"]);
    if ("why" in fitted) problems.push(`its tool ${quoted(name)} is left out: ${fitted.why}`);
    else if (tools.has(name)) problems.push(`it names the tool ${quoted(name)} twice`);
    else tools.set(name, offered(item, name, fitted.schema));
  }
  if (nameless > 0) problems.push("it lists tools without a name, which are left out");
  for (const name of allowed ?? []) {
    if (!names.includes(name)) problems.push(missingTool(name, names));
  }
  if (tools.size > MOST_TOOLS) {
    problems.push(
      `it has ${tools.size} tools, of which the first ${MOST_TOOLS} are offered; ` +
        'name the useful ones under "tools"',
    );
  }
  return { tools: [...tools.values()].slice(0, MOST_TOOLS), problems };
}

function offered(item: Record<string, unknown>, name: string, schema: Schema): OfferedTool {
  const annotations = isRecord(item["annotations"]) ? item["annotations"] : {};
  const description = typeof item["description"] === "string" ? item["description"] : "";
  return {
    name,
    description: cut(cleanText(description).trim(), { limit: LONGEST_DESCRIPTION, keep: "start" }),
    schema,
    readOnly: annotations["readOnlyHint"] === true,
  };
}

function missingTool(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  const hint = near === undefined ? "" : `; the nearest is ${quoted(near)}`;
  return `it has no tool ${quoted(name)}, which "tools" allows${hint}`;
}

function quoted(name: string): string {
  const short = name.length > 64 ? `${name.slice(0, 63)}…` : name;
  return JSON.stringify(short);
}
