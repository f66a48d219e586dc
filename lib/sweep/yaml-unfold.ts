import { type Alias, type Document, isAlias, isMap, isScalar, isSeq } from "yaml";
import { type Node as YamlNode, type Pair, visit, type YAMLMap } from "yaml";
import type { Report, Spot } from "./report.ts";
import type { Entry, Node, ScalarNode } from "./yaml-node.ts";

/** What aliases may unfold to, so that a few lines of YAML cannot become gigabytes. */
const MOST_UNFOLDED = 10_000;
const STANDARD_TAG = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq|merge)$/;

/** Turns the library's tree into ours. Undefined when a part of it is lost; why is reported. */
export function unfoldYaml(
  document: Document.Parsed,
  source: string,
  spot: (offset: number, path: string) => Spot,
  report: Report,
): Node | undefined {
  const targets = aliasTargets(document);
  const open: unknown[] = [];
  let viaAlias = 0;
  let unfolded = 0;
  let whole = true;

  function lose(at: Spot, message: string): undefined {
    whole = false;
    return report.mistake(at, message);
  }

  function convert(node: unknown, path: string, head?: Spot): Node | undefined {
    if (viaAlias > 0 && ++unfolded > MOST_UNFOLDED) {
      if (unfolded > MOST_UNFOLDED + 1) return undefined;
      const at = spot(offsetOf(node), path);
      return lose(
        at,
        `Cannot unfold the aliases: they stand for more than ${MOST_UNFOLDED} values`,
      );
    }
    if (isAlias(node)) return follow(node, path, head);
    const at = spot(offsetOf(node), path);
    if (!tagIsKnown(node, at)) return undefined;
    if (isMap(node)) {
      return { kind: "mapping", entries: entriesOf(node, path), head: head ?? at, ...at };
    }
    if (isSeq(node)) {
      const items = node.items.map((item, i) => convert(item, `${path}[${i}]`));
      return { kind: "list", items: items.filter((item) => item !== undefined), ...at };
    }
    return scalar(node, at);
  }

  function follow(alias: Alias, path: string, head?: Spot): Node | undefined {
    const target = targets.get(alias);
    const at = spot(offsetOf(alias), path);
    if (target === undefined) {
      return lose(
        at,
        `Cannot follow the alias "*${alias.source}": no anchor has this name`,
      );
    }
    if (open.includes(target)) {
      return lose(at, `Cannot follow the alias "*${alias.source}": it contains itself`);
    }
    open.push(target);
    viaAlias++;
    const node = convert(target, path, head);
    viaAlias--;
    open.pop();
    return node;
  }

  /** Merged keys come first and yield to the mapping's own, as in PyYAML. */
  function entriesOf(map: YAMLMap, path: string): Entry[] {
    const merged = new Map<string, Entry>();
    const own = new Map<string, Entry>();
    open.push(map);
    for (const pair of map.items) {
      if (isMerge(pair)) {
        for (const entry of mergedEntries(pair.value, path)) {
          if (!merged.has(entry.key)) merged.set(entry.key, entry);
        }
        continue;
      }
      const entry = entryOf(pair, path);
      if (entry === undefined) continue;
      const first = own.get(entry.key);
      if (first === undefined) own.set(entry.key, entry);
      else {
        const message =
          `Cannot use "${entry.key}" twice: it stands on line ${first.at.line} already`;
        report.mistake(entry.at, message, "Keep one of them");
      }
    }
    open.pop();
    return [...new Map([...merged, ...own]).values()];
  }

  function mergedEntries(value: unknown, path: string): readonly Entry[] {
    const node = convert(value, path);
    if (node === undefined) return [];
    if (node.kind === "mapping") return node.entries;
    if (node.kind === "list" && node.items.every((item) => item.kind === "mapping")) {
      return node.items.flatMap((item) => item.kind === "mapping" ? item.entries : [])
        .map((entry) => ({ ...entry }));
    }
    lose(
      node,
      'Cannot merge with "<<": expected an alias of a mapping, or a list of such aliases',
    );
    return [];
  }

  function entryOf(pair: Pair, path: string): Entry | undefined {
    const key = isAlias(pair.key) ? targets.get(pair.key) : pair.key;
    const at = spot(offsetOf(pair.key), path);
    if (!isScalar(key)) {
      return lose(at, "Cannot use a list or a mapping as a key: expected a plain word");
    }
    const text = String(key.value ?? "");
    if (text === "__proto__") {
      return lose({ ...at, path: join(path, text) }, `Cannot use "${text}" as a key`);
    }
    const inner = join(path, text);
    const head = { ...at, path: inner };
    const value = pair.value === null ? emptyScalar(head) : convert(pair.value, inner, head);
    return value === undefined ? undefined : { key: text, at: head, value };
  }

  function scalar(node: unknown, at: Spot): ScalarNode {
    if (!isScalar(node)) return emptyScalar(at);
    const text = String(node.value ?? "");
    const [start, end] = node.range ?? [0, 0];
    const raw = source.slice(start, end);
    const asText = node.tag === "tag:yaml.org,2002:str";
    const asOther = node.tag !== undefined && !asText;
    return {
      kind: "scalar",
      text,
      plain: asOther || (!asText && (node.type === "PLAIN" || node.type === undefined)),
      spotOf: (index) => spot(start + rawIndex(raw, text, index), at.path),
      ...at,
    };
  }

  function tagIsKnown(node: unknown, at: Spot): boolean {
    const tag = (node as YamlNode | null)?.tag;
    if (tag === undefined || tag === "!" || STANDARD_TAG.test(tag)) return true;
    lose(at, `Cannot use the tag "${tag}": expected plain YAML without tags of its own`);
    return false;
  }

  const root = convert(document.contents, "");
  return whole ? root : undefined;
}

/** Each alias with the node that its anchor names at that place in the file. */
function aliasTargets(document: Document.Parsed): Map<Alias, YamlNode> {
  const anchors = new Map<string, YamlNode>();
  const targets = new Map<Alias, YamlNode>();
  visit(document, {
    Value: (_, node) => void (node.anchor !== undefined && anchors.set(node.anchor, node)),
    Alias: (_, alias) => {
      const target = anchors.get(alias.source);
      if (target !== undefined) targets.set(alias, target);
    },
  });
  return targets;
}

function isMerge(pair: Pair): boolean {
  const key = pair.key;
  return isScalar(key) && key.source === "<<" && (key.type === undefined || key.type === "PLAIN");
}

function offsetOf(node: unknown): number {
  return (node as YamlNode | null)?.range?.[0] ?? 0;
}

function emptyScalar(at: Spot): ScalarNode {
  return { kind: "scalar", text: "", plain: true, spotOf: () => at, ...at };
}

/** `slurm` and `mem` give `slurm.mem`; a key that is not a plain word is quoted. */
function join(path: string, key: string): string {
  if (!/^[\w+~-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/**
 * Where character `index` of a scalar's text stands in its source. Quotes, a
 * block's header, folded line ends and indentation have no counterpart in the
 * text, so both are walked side by side.
 */
function rawIndex(raw: string, text: string, index: number): number {
  let at = /^[|>]/.test(raw) ? raw.indexOf("\n") + 1 : /^["']/.test(raw) ? 1 : 0;
  for (let i = 0; i <= index && i < text.length; i++) {
    const blank = /\s/.test(text[i]!);
    if (!blank) {
      const next = raw.indexOf(text[i]!, at);
      if (next === -1) return 0;
      at = next;
    }
    if (i === index) return at;
    at++;
  }
  return Math.min(at, raw.length);
}
