import { nearest } from "../base/text.ts";
import type { Notice } from "../sweep/config.ts";
import { isNull, quote } from "../sweep/fields.ts";
import { createReport } from "../sweep/report.ts";
import type { Report } from "../sweep/report.ts";
import { readYaml } from "../sweep/yaml-document.ts";
import type { MappingNode } from "../sweep/yaml-node.ts";
import { expandNode } from "./expand-node.ts";
import type { PoolConfig } from "./pool-config.ts";
import { readPoolConfig } from "./read-pool-config.ts";

/** Sections of herd's own configuration file; each is read by the part that it belongs to. */
const SECTIONS = ["pool", "broker"] as const;

const POOL = { begin: 'Run "herd pool setup" to get one', example: "pool:" };

/**
 * Reads the text of herd's own configuration file; `file` is how messages call it, `env` is what
 * `${NAME}` stands for. Throws one UserError that carries every mistake, each with its line and
 * column; the value of a variable is in none of them.
 */
export function readHerdConfig(
  text: string,
  file: string,
  env: Readonly<Record<string, string | undefined>> = {},
): { pool: PoolConfig | undefined; notices: readonly Notice[] } {
  const report = createReport(file);
  const root = isEmpty(text) ? undefined : readYaml(text, report, POOL);
  const pool = root === undefined ? undefined : readRoot(root, env, report);
  report.settle();
  return { pool, notices: report.notices() };
}

function readRoot(
  root: MappingNode,
  env: Readonly<Record<string, string | undefined>>,
  report: Report,
): PoolConfig | undefined {
  for (const { key, at } of root.entries) {
    if (key.startsWith("x-") || SECTIONS.some((one) => one === key)) continue;
    const near = nearest(key, SECTIONS);
    const hint = near === undefined ? "" : `; did you mean "${near}"?`;
    report.notice(at, `Left ${quote(key)} alone: herd knows no such section${hint}`);
  }
  const section = root.entries.find(({ key }) => key === "pool");
  if (section === undefined || isNull(section.value)) return undefined;
  const expanded = expandNode(section.value, env, report);
  return readPoolConfig(expanded.node, expanded.report);
}

/** A file in which everything is commented out configures nothing, and is no mistake. */
function isEmpty(text: string): boolean {
  return text.replace(/^\uFEFF/, "").split("\n").every((line) => /^\s*(#.*|---\s*)?$/.test(line));
}
