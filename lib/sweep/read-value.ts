import type { Value } from "./value.ts";
import { wrong } from "./fields.ts";
import { numberOf } from "./numeric-text.ts";
import type { Report } from "./report.ts";
import type { Node } from "./yaml-node.ts";
import { readPlain } from "./yaml-scalar.ts";

/**
 * A value of a parameter or a condition. With `quotedNumbers` a quoted text that
 * spells a number is that number, as conditions read it. Undefined when it
 * cannot be one; why is reported (null is a value).
 */
export function readValue(
  node: Node,
  report: Report,
  options: { quotedNumbers?: boolean } = {},
): Value | undefined {
  if (node.kind === "scalar") {
    if (!node.plain) {
      const number = options.quotedNumbers === true ? numberOf(node.text) : undefined;
      return number ?? checkedText(node, node.text, report);
    }
    const { value, notice, mistake } = readPlain(node.text);
    if (mistake !== undefined) {
      return report.mistake(node, `Cannot read ${node.path}: ${mistake}`, QUOTE);
    }
    if (notice !== undefined) report.notice(node, notice);
    return typeof value === "string" ? checkedText(node, value, report) : value;
  }
  if (node.kind === "list") {
    const items = node.items.map((item) => readValue(item, report, options));
    const good = items.filter((item) => item !== undefined);
    return good.length === items.length ? good : undefined;
  }
  const entries = node.entries.map((entry) => {
    const value = readValue(entry.value, report, options);
    return value === undefined ? undefined : [entry.key, value] as const;
  });
  const good = entries.filter((entry) => entry !== undefined);
  return good.length === entries.length ? Object.fromEntries(good) : undefined;
}

const QUOTE = "Put it in quotes if it is meant as text";

/** Line ends and tabs are for the trainer to judge; other control characters cannot reach it whole. */
function checkedText(node: Node, text: string, report: Report): string | undefined {
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text)) {
    return wrong(node, report, "a text without control characters");
  }
  return /[\uD800-\uDFFF]/u.test(text) ? wrong(node, report, "well-formed Unicode") : text;
}
