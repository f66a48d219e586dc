import { wrong } from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import type { Node } from "../sweep/yaml-node.ts";

const SIZES: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** Bytes. A unit is needed: a bare number would be bytes to some and megabytes to others. */
export function readSize(node: Node, most: number, report: Report): number | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  const [, digits = "", unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?) ?([KMG])(?:i?B)?$/i.exec(text) ?? [];
  const bytes = Math.round(Number(digits) * (SIZES[unit.toUpperCase()] ?? 0));
  if (bytes > 0 && bytes <= most) return bytes;
  return wrong(node, report, `a size such as "512K" or "10M", at most ${sizeText(most)}`);
}

function sizeText(bytes: number): string {
  const unit = ["G", "M", "K"].find((one) => bytes % SIZES[one]! === 0) ?? "K";
  return `${bytes / SIZES[unit]!}${unit}`;
}
