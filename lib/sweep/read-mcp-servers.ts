import type { McpServerSettings } from "./config.ts";
import { hasOddVariable } from "./expand-variables.ts";
import {
  type Fields,
  missing,
  quote,
  readFields,
  readItems,
  readText,
  readTexts,
  whole,
  wrong,
} from "./fields.ts";
import { readWebAddress } from "./read-web-address.ts";
import type { Report } from "./report.ts";
import type { Entry, MappingNode, Node } from "./yaml-node.ts";

const KEYS = ["name", "command", "args", "env", "url", "headers", "tools"] as const;
/** Keys that go with the other way of reaching a server. */
const STDIO_ONLY = ["args", "env"] as const;
/** herd's own tools are offered under these names. */
const OWN_NAMES = ["hyperherd", "herd"];
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** RFC 9110: a token. */
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** The section `mcp_servers`. Servers that could not be read are left out. */
export function readMcpServers(node: Node, report: Report): readonly McpServerSettings[] {
  const items = readItems(node, report, "servers") ?? [];
  const lines = new Map<string, number>();
  return items.map((item) => {
    const server = readServer(item, report);
    if (server === undefined) return undefined;
    const line = lines.get(server.name);
    if (line !== undefined) {
      return report.mistake(
        item,
        `Cannot use the name ${quote(server.name)} for two servers: the first is on line ${line}`,
      );
    }
    lines.set(server.name, item.line);
    return server;
  }).filter((server) => server !== undefined);
}

function readServer(node: Node, report: Report): McpServerSettings | undefined {
  if (node.kind !== "mapping") {
    return wrong(node, report, 'a mapping with "name" and "command" or "url"');
  }
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const nameNode = fields.get("name")?.value;
  const name = nameNode === undefined
    ? missing(node, "name", "letters, digits, underscore and hyphen", report)
    : readName(nameNode, report);
  const toolsNode = fields.get("tools")?.value;
  const tools = toolsNode === undefined ? "all" : readTools(toolsNode, report);
  const reached = readReached(node, fields, report);
  if (name === undefined || tools === undefined || reached === undefined) return undefined;
  return { name, tools: tools === "all" ? undefined : tools, ...reached };
}

/** How the server is reached: a program that is started, or an address. Exactly one of both. */
function readReached(node: MappingNode, fields: Fields, report: Report) {
  const command = fields.get("command");
  const url = fields.get("url");
  if (command !== undefined && url !== undefined) {
    return report.mistake(
      url.at,
      'Cannot use "url" beside "command": a server is a program or an address',
      "Keep one of them",
    );
  }
  if (url !== undefined) return readHttp(url, fields, report);
  const headers = fields.get("headers");
  if (headers !== undefined) refuseBeside(headers, "url", report);
  const started = command === undefined
    ? report.isMisspelt(node.path, "url")
      ? undefined
      : missing(node, "command", 'the program to start, or "url" with an address', report)
    : withVariables(command.value, report, readText(command.value, report));
  const argsNode = fields.get("args")?.value;
  const args = argsNode === undefined ? [] : readArgs(argsNode, report);
  const env = readPairs(fields.get("env")?.value, report, VARIABLE_NAME, "an environment variable");
  if (started === undefined || args === undefined || env === undefined) return undefined;
  return { transport: "stdio" as const, command: started, args, env };
}

function readHttp({ value }: Entry, fields: Fields, report: Report) {
  for (const key of STDIO_ONLY) {
    const entry = fields.get(key);
    if (entry !== undefined) refuseBeside(entry, "command", report);
  }
  const address = readWebAddress(value, report, "what is sent", { variables: true });
  const url = withVariables(value, report, address);
  const headers = readPairs(fields.get("headers")?.value, report, HEADER_NAME, "a header");
  if (url === undefined || headers === undefined) return undefined;
  return { transport: "http" as const, url, headers };
}

function refuseBeside(entry: Entry, owner: "command" | "url", report: Report): void {
  report.mistake(entry.at, `Cannot use "${entry.key}" here: it goes with "${owner}"`);
}

function readName(node: Node, report: Report): string | undefined {
  const text = readText(node, report);
  if (text === undefined) return undefined;
  if (OWN_NAMES.includes(text.toLowerCase())) {
    return wrong(node, report, "another name, as herd's own tools have this one");
  }
  return /^[A-Za-z0-9_-]{1,64}$/.test(text)
    ? text
    : wrong(node, report, "1 to 64 letters, digits, underscores and hyphens");
}

/** An empty list would be a server of which nothing may be used: somebody meant something else. */
function readTools(node: Node, report: Report): readonly string[] | undefined {
  const items = readItems(node, report, "names of tools");
  if (items?.length === 0) {
    return wrong(
      node,
      report,
      "at least one name of a tool",
      "Leave the key out to allow them all",
    );
  }
  const names = items?.map((item) => {
    const name = readText(item, report);
    if (name === undefined || /^\S{1,128}$/.test(name)) return name;
    return wrong(item, report, "the name of one tool, without white space");
  });
  const good = names === undefined ? undefined : whole(names);
  return good === undefined ? undefined : [...new Set(good)];
}

function readArgs(node: Node, report: Report): readonly string[] | undefined {
  const args = readTexts(node, report);
  if (args === undefined || node.kind !== "list") return undefined;
  return whole(args.map((text, i) => withVariables(node.items[i]!, report, text)));
}

/**
 * A mapping of names to texts, as they stand in the file: `PORT: 8080` is "8080".
 * Values may be secrets: no message shows them.
 */
function readPairs(
  node: Node | undefined,
  report: Report,
  pattern: RegExp,
  what: string,
): Readonly<Record<string, string>> | undefined {
  if (node === undefined) return {};
  if (node.kind !== "mapping") {
    return report.mistake(
      node,
      `Cannot read ${node.path}: expected a mapping of names to values`,
    );
  }
  const pairs = node.entries.map(({ key, at, value }): [string, string] | undefined => {
    if (!pattern.test(key)) {
      return report.mistake(at, `Cannot use ${quote(key)} as the name of ${what}`);
    }
    const text = value.kind === "scalar" ? value.text : undefined;
    // deno-lint-ignore no-control-regex
    if (text === undefined || /[\u0000-\u0008\u000a-\u001f\u007f]|[\uD800-\uDFFF]/u.test(text)) {
      return report.mistake(
        value,
        `Cannot read ${value.path}: expected one line of text without control characters`,
      );
    }
    const known = withVariables(value, report, text);
    return known === undefined ? undefined : [key, known];
  });
  const good = whole(pairs);
  return good === undefined ? undefined : Object.fromEntries(good);
}

/** The text, when each `${` in it begins a `${NAME}`. It may hold a secret, so it is not shown. */
function withVariables<T extends string | undefined>(
  node: Node,
  report: Report,
  text: T,
): T | undefined {
  if (text === undefined || !hasOddVariable(text)) return text;
  return report.mistake(
    node,
    `Cannot read ${node.path}: found "\${" without a name and "}" after it, ` +
      'expected a variable such as "${HF_TOKEN}"',
    "Only ${NAME} is expanded: there are no defaults and no commands",
  );
}
