import { readBackendConfig } from "../backends/backend-config.ts";
import { nearest } from "../base/text.ts";
import type { BrokerConfig } from "../chat/broker-config.ts";
import { type BrokerParts, readBrokerConfig } from "../chat/read-broker-config.ts";
import type { Notice } from "../sweep/config.ts";
import { isNull, quote } from "../sweep/fields.ts";
import { createReport } from "../sweep/report.ts";
import type { Report } from "../sweep/report.ts";
import { readYaml } from "../sweep/yaml-document.ts";
import type { MappingNode } from "../sweep/yaml-node.ts";
import { parseCron } from "../tasks/cron.ts";
import { isTimeZone } from "../tasks/cron-zone.ts";
import { expandNode } from "../tasks/expand-node.ts";
import type { PoolConfig } from "../tasks/pool-config.ts";
import { readPoolBackends } from "../tasks/read-pool-backends.ts";
import { readPoolConfig } from "../tasks/read-pool-config.ts";
import { withPreset } from "./preset.ts";

/** Sections of herd's own configuration file; each is read by the part that it belongs to. */
const SECTIONS = ["pool", "broker"] as const;
type SectionName = typeof SECTIONS[number];

const POOL = { begin: 'Run "herd pool setup" to get one', example: "pool:" };

type Env = Readonly<Record<string, string | undefined>>;

export interface HerdConfig {
  pool: PoolConfig | undefined;
  broker: BrokerConfig | undefined;
  notices: readonly Notice[];
}

/**
 * Reads the text of herd's own configuration file; `file` is how messages call it, `env` is what
 * `${NAME}` stands for. Throws one UserError that carries every mistake, each with its line and
 * column; the value of a variable is in none of them. What is not `wanted` is left alone: somebody
 * who works with the pool may lack the variables of the broker. The broker needs the pool.
 */
export function readHerdConfig(
  text: string,
  file: string,
  env: Env = {},
  wanted: readonly SectionName[] = SECTIONS,
): HerdConfig {
  const report = createReport(file);
  const root = isEmpty(text) ? undefined : readYaml(text, report, POOL);
  const sections = root === undefined
    ? { pool: undefined, broker: undefined }
    : readSections(root, env, wanted, report);
  report.settle();
  return { ...sections, notices: report.notices() };
}

function readSections(
  root: MappingNode,
  env: Env,
  wanted: readonly SectionName[],
  report: Report,
): Pick<HerdConfig, "pool" | "broker"> {
  for (const { key, at } of root.entries) {
    if (key.startsWith("x-") || SECTIONS.some((one) => one === key)) continue;
    const near = nearest(key, SECTIONS);
    const hint = near === undefined ? "" : `; did you mean "${near}"?`;
    report.notice(at, `Left ${quote(key)} alone: herd knows no such section${hint}`);
  }
  const expand = (name: SectionName) => {
    if (!wanted.includes(name)) return undefined;
    const section = root.entries.find(({ key }) => key === name);
    if (section === undefined || isNull(section.value)) return undefined;
    return expandNode(section.value, env, report);
  };
  const poolSection = expand("pool");
  const pool = poolSection && readPoolConfig(poolSection.node, poolSection.report);
  const brokerSection = expand("broker");
  const broker = brokerSection &&
    readBrokerConfig(brokerSection.node, brokerParts(pool), brokerSection.report);
  return { pool, broker };
}

/** The broker's agents are the backends of the pool, or of the same kinds. */
function brokerParts(pool: PoolConfig | undefined): BrokerParts {
  return {
    readBackends: readPoolBackends,
    refuseAgent(settings) {
      const config = readBackendConfig(withPreset(settings));
      return "refused" in config ? config.refused : undefined;
    },
    pool: { backends: pool?.backends ?? {}, models: pool?.models ?? {} },
    cron: { parse: parseCron, isTimeZone },
  };
}

/** A file in which everything is commented out configures nothing, and is no mistake. */
function isEmpty(text: string): boolean {
  return text.replace(/^\uFEFF/, "").split("\n").every((line) => /^\s*(#.*|---\s*)?$/.test(line));
}
