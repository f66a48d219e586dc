import type { McpServerSettings } from "./config.ts";
import {
  type Fields,
  missing,
  quote,
  readFields,
  readItems,
  readText,
  readTexts,
  wrong,
} from "./fields.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";

const KEYS = ["name", "command", "args", "env"] as const;
/** herd's own tools are offered under this name. */
const OWN_NAME = "hyperherd";

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
  if (node.kind !== "mapping") return wrong(node, report, 'a mapping with "name" and "command"');
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const nameNode = fields.get("name")?.value;
  const name = nameNode === undefined
    ? missing(node, "name", "letters, digits, underscore and hyphen", report)
    : readName(nameNode, report);
  const commandNode = fields.get("command")?.value;
  const command = commandNode === undefined
    ? missing(node, "command", "the program to start", report)
    : readText(commandNode, report);
  const argsNode = fields.get("args")?.value;
  const args = argsNode === undefined ? [] : readTexts(argsNode, report);
  const env = readEnv(fields, report);
  if (name === undefined || command === undefined || args === undefined) return undefined;
  return env === undefined ? undefined : { name, command, args, env };
}

function readName(node: Node, report: Report): string | undefined {
  const text = readText(node, report);
  if (text === undefined) return undefined;
  if (text.toLowerCase() === OWN_NAME) {
    return wrong(node, report, "another name, as herd's own tools have this one");
  }
  return /^[A-Za-z0-9_-]{1,64}$/.test(text)
    ? text
    : wrong(node, report, "1 to 64 letters, digits, underscores and hyphens");
}

/** Values are text as it stands in the file: `PORT: 8080` is "8080". */
function readEnv(fields: Fields, report: Report): Readonly<Record<string, string>> | undefined {
  const node = fields.get("env")?.value;
  if (node === undefined) return {};
  if (node.kind !== "mapping") return wrong(node, report, "a mapping of names to values");
  const env: Record<string, string> = {};
  let failed = false;
  for (const { key, at, value } of node.entries) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) {
      report.mistake(at, `Cannot use ${quote(key)} as the name of an environment variable`);
      failed = true;
      continue;
    }
    const text = readText(value, report, { empty: true });
    if (text === undefined) failed = true;
    else env[key] = text;
  }
  return failed ? undefined : env;
}
