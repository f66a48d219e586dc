import { fieldsOf, missing, oneOf, quote, readChoice, wrong } from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import { readPlain } from "../sweep/yaml-scalar.ts";
import type { MappingNode, Node } from "../sweep/yaml-node.ts";
import type { PoolConfig } from "./pool-config.ts";

type Backends = PoolConfig["backends"];

const KINDS = ["anthropic", "openai", "acp", "command"] as const;
/** Keys whose value is text, even if it is made of digits alone. */
const TEXTS = /(^|_)(key|secret|password|env|model|option|mode)$/;

/**
 * By name: settings with keys such as `baseUrl`. What they may be is known to lib/backends; here
 * only their form is looked at. No message shows a value: it may be a secret.
 */
export function readPoolBackends(node: Node, report: Report): Backends | undefined {
  if (node.kind !== "mapping") {
    return wrong(node, report, "a mapping of names to backends");
  }
  const backends = node.entries.map(({ key, at, value }) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(key)) {
      return report.mistake(
        at,
        `Cannot use ${quote(key)} as the name of a backend: ` +
          "expected 1 to 64 letters, digits, dots, underscores and hyphens",
      );
    }
    const backend = readBackend(value, report);
    return backend === undefined ? undefined : [key, backend] as const;
  });
  return Object.fromEntries(backends.filter((one) => one !== undefined));
}

function readBackend(node: Node, report: Report): Backends[string] | undefined {
  if (node.kind !== "mapping") {
    return report.mistake(
      node,
      `Cannot read ${node.path}: expected a mapping with "kind", which is ${oneOf(KINDS)}`,
    );
  }
  const kindNode = fieldsOf(node).get("kind")?.value;
  const kind = kindNode === undefined
    ? missing(node, "kind", oneOf(KINDS), report)
    : readChoice(kindNode, KINDS, report);
  const settings = readSettings(node, report);
  return kind === undefined ? undefined : { ...settings, kind };
}

function readSettings(node: MappingNode, report: Report): Record<string, unknown> {
  const settings: [string, unknown][] = [];
  for (const { key, at, value } of node.entries) {
    if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(key)) {
      const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      report.mistake(
        at,
        `Unknown key ${quote(key)} in ${node.path}`,
        /^[a-z][a-z0-9_]*$/.test(snake) ? `Did you mean "${snake}"?` : undefined,
      );
      continue;
    }
    const plain = plainOf(value, !TEXTS.test(key), report);
    if (plain !== undefined && plain !== null) settings.push([camel(key), plain]);
  }
  return Object.fromEntries(settings);
}

/** Only a backend's own settings may be numbers: arguments, headers and paths are text. */
function plainOf(node: Node, typed: boolean, report: Report): unknown {
  if (node.kind === "list") return node.items.map((item) => plainOf(item, false, report));
  if (node.kind === "mapping") {
    return Object.fromEntries(
      node.entries.map(({ key, value }) => [key, plainOf(value, false, report)]),
    );
  }
  // A NUL would end the text for a program.
  if (/\0|[\uD800-\uDFFF]/u.test(node.text)) {
    return report.mistake(node, `Cannot read ${node.path}: expected text that a program can read`);
  }
  if (!node.plain) return node.text;
  const { value } = readPlain(node.text);
  if (value === null) return typed ? null : node.text;
  return typed && typeof value !== "string" ? value : node.text;
}

function camel(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
