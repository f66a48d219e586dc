import { quote, readItems, wrong } from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import type { Node } from "../sweep/yaml-node.ts";

const ID = 'an id of digits in quotes such as "1234567890123456789"';
/** As digits, or as Discord shows them in a message. */
const FORMS = {
  channel: /^(?:<#)?(\d{1,20})>?$/,
  user: /^(?:<@!?)?(\d{1,20})>?$/,
  role: /^(?:<@&)?(\d{1,20})>?$/,
  "user or role": /^(?:<@[!&]?)?(\d{1,20})>?$/,
};

export type IdKind = keyof typeof FORMS;

/** Ids are beyond 2^53: as numbers they would lose digits, so the file's own text is taken. */
export function readOneId(node: Node, kind: IdKind, report: Report): string | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  const id = FORMS[kind].exec(text)?.[1];
  if (id !== undefined && node.kind === "scalar") {
    if (node.plain) report.notice(node, `Read ${node.path} as text: write "${id}" in quotes`);
    return id;
  }
  // What a program has made of an id: its last digits are gone.
  if (/^\d+(\.\d*)?(e\+?\d+)?$/i.test(text)) {
    return report.mistake(
      node,
      `Cannot read ${node.path}: found the number ${text}, whose last digits may be lost, expected ${ID}`,
      "Copy the id from Discord again and quote it; with Helm, use --set-string",
    );
  }
  return wrong(node, report, ID);
}

/** Each once. An entry that is no id is a mistake: left out, it would close or open what nobody meant. */
export function readIdList(
  node: Node,
  kind: IdKind,
  report: Report,
): readonly string[] | undefined {
  const items = readItems(node, report, 'ids such as ["1234567890123456789"]');
  const ids = new Set<string>();
  for (const item of items ?? []) {
    const id = readOneId(item, kind, report);
    if (id === undefined) continue;
    if (ids.has(id)) report.notice(item, `${node.path}: ${quote(id)} is there twice`);
    ids.add(id);
  }
  return items === undefined ? undefined : [...ids];
}
