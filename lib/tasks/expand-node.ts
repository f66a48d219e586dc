import { AS_WRITTEN_KEYS, expandVariables, hasOddVariable } from "../sweep/expand-variables.ts";
import { quote } from "../sweep/fields.ts";
import type { Report, Spot } from "../sweep/report.ts";
import type { Entry, Node, ScalarNode } from "../sweep/yaml-node.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Puts variables in the place of each `${NAME}` below `node`. One that is not set is a mistake.
 * What was put in is text, whatever it looks like, and may be a secret: the report that
 * comes with it shows the file's own text instead.
 */
export function expandNode(node: Node, env: Env, report: Report): { node: Node; report: Report } {
  const shown = new Map<string, { text: string; source: string }>();
  // What is wrong with these has been said; what they would have been is not known.
  const failed = new Set<string>();

  function scalar(node: ScalarNode): Node {
    if (!node.text.includes("${")) return node;
    if (hasOddVariable(node.text)) {
      failed.add(spotKey(node));
      report.mistake(
        node,
        `Cannot read ${node.path}: found "\${" without a name and "}" after it, ` +
          'expected a variable such as "${OPENROUTER_API_KEY}"',
        "Only ${NAME} is expanded: there are no defaults and no commands",
      );
      return node;
    }
    const expanded = expandVariables(node.text, env);
    if ("missing" in expanded) {
      failed.add(spotKey(node));
      for (const name of expanded.missing) {
        report.mistake(
          node,
          `Cannot read ${node.path}: the variable "${name}" is not set`,
          "Set it in the environment of the daemon, or in .env beside this file",
        );
      }
      return node;
    }
    shown.set(spotKey(node), { text: expanded.text, source: node.text });
    return { ...node, text: expanded.text, plain: false };
  }

  function entry(one: Entry): Entry {
    return AS_WRITTEN_KEYS.includes(one.key) ? one : { ...one, value: walk(one.value) };
  }

  function walk(node: Node): Node {
    if (node.kind === "scalar") return scalar(node);
    if (node.kind === "list") return { ...node, items: node.items.map(walk) };
    return { ...node, entries: node.entries.map(entry) };
  }

  const guarded: Report = {
    ...report,
    mistake(at, message, hint) {
      if (failed.has(spotKey(at))) return undefined;
      const secret = shown.get(spotKey(at));
      if (secret === undefined) return report.mistake(at, message, hint);
      // A hint names what is near to the value.
      return report.mistake(
        at,
        secret.text === "" ? message : message
          .replaceAll(quote(secret.text), () => quote(secret.source))
          .replaceAll(secret.text, () => secret.source),
      );
    },
    notice(at, message, once) {
      const secret = shown.get(spotKey(at));
      if (secret === undefined) report.notice(at, message, once);
    },
  };
  return { node: walk(node), report: guarded };
}

function spotKey({ line, column }: Spot): string {
  return `${line}:${column}`;
}
