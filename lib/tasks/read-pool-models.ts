import { nearest } from "../base/text.ts";
import type { TokenPrice } from "../sweep/config.ts";
import {
  type Fields,
  missing,
  oneOf,
  quote,
  readFields,
  readNumber,
  readText,
  wrong,
} from "../sweep/fields.ts";
import type { Report } from "../sweep/report.ts";
import type { MappingNode, Node } from "../sweep/yaml-node.ts";
import type { PoolConfig, PoolModel } from "./pool-config.ts";

const PER_MILLION = "usd_per_million_tokens";
const PER_THOUSAND = "usd_per_thousand_tokens";
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const KEYS = ["backend", "model", "use", PER_MILLION, PER_THOUSAND] as const;
const PRICE_KEYS = ["input", "output", "cache_read", "cache_write"] as const;

export interface KnownBackends {
  /** Names that stand in the file. */
  named: readonly string[];
  /** Those of them that could be read. */
  backends: PoolConfig["backends"];
}

/** Aliases, by name. */
export function readPoolModels(
  node: Node,
  known: KnownBackends,
  report: Report,
): PoolConfig["models"] | undefined {
  if (node.kind !== "mapping") return wrong(node, report, "a mapping of aliases to models");
  const lines = new Map<string, { key: string; line: number }>();
  const models = node.entries.map(({ key, at, value }) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/.test(key)) {
      return report.mistake(
        at,
        `Cannot use ${quote(key)} as an alias: ` +
          "expected 1 to 64 letters, digits, dots, colons, underscores and hyphens",
      );
    }
    const same = lines.get(key.toLowerCase());
    if (same !== undefined) {
      return report.mistake(
        at,
        `Cannot use the alias "${key}" beside "${same.key}" of line ${same.line}: ` +
          "tags are read in any case",
      );
    }
    lines.set(key.toLowerCase(), { key, line: at.line });
    const model = readModel(value, known, report);
    return model === undefined ? undefined : [key, model] as const;
  });
  return Object.fromEntries(models.filter((one) => one !== undefined));
}

function readModel(node: Node, known: KnownBackends, report: Report): PoolModel | undefined {
  if (node.kind !== "mapping") {
    return wrong(node, report, 'a mapping with "backend" and "model"');
  }
  const fields = readFields(node, KEYS, report);
  if (fields === undefined) return undefined;
  const backend = readBackendName(node, fields, known, report);
  const text = (key: "model" | "use") => {
    const value = fields.get(key)?.value;
    return value === undefined ? undefined : readText(value, report);
  };
  const model = text("model");
  const use = text("use");
  const kind = backend === undefined || !Object.hasOwn(known.backends, backend)
    ? undefined
    : known.backends[backend]!.kind;
  const price = readPrice(fields, kind, report);
  return backend === undefined ? undefined : { backend, model, price, use };
}

function readBackendName(
  owner: MappingNode,
  fields: Fields,
  { named }: KnownBackends,
  report: Report,
): string | undefined {
  const node = fields.get("backend")?.value;
  const expected = named.length === 0 ? "a name that pool.backends has" : oneOf(named);
  if (node === undefined) return missing(owner, "backend", expected, report);
  const name = readText(node, report);
  if (name === undefined || named.includes(name)) return name;
  const near = nearest(name, named);
  const hint = near === undefined ? undefined : `Did you mean "${near}"?`;
  return wrong(node, report, expected, hint);
}

function readPrice(
  fields: Fields,
  kind: string | undefined,
  report: Report,
): TokenPrice | undefined {
  const million = fields.get(PER_MILLION);
  const thousand = fields.get(PER_THOUSAND);
  if (million !== undefined && thousand !== undefined) {
    return report.mistake(
      thousand.at,
      `Cannot use "${PER_THOUSAND}" beside "${PER_MILLION}": one of them is enough`,
      "Keep one of them",
    );
  }
  const given = million ?? thousand;
  if (given === undefined) return undefined;
  const factor = given === million ? 1 : 1000;
  const unit = `US dollars per ${factor === 1 ? "million" : "thousand"} tokens, 0 or more`;
  const { value } = given;
  if (value.kind !== "mapping") {
    // 0 for all of it: a free model.
    const all = value.kind === "scalar" ? readUsd(value, factor, unit, report) : undefined;
    if (all === 0) return { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
    return value.kind === "scalar" && all === undefined
      ? undefined
      : wrong(value, report, `0, or a mapping with ${PRICE_KEYS.join(", ")}`);
  }
  return readParts(value, factor, unit, kind, report);
}

function readParts(
  node: MappingNode,
  factor: number,
  unit: string,
  kind: string | undefined,
  report: Report,
): TokenPrice | undefined {
  const fields = readFields(node, PRICE_KEYS, report);
  if (fields === undefined) return undefined;
  const read = (key: typeof PRICE_KEYS[number]) => {
    const value = fields.get(key)?.value;
    return value === undefined ? undefined : readUsd(value, factor, unit, report);
  };
  const needed = (key: "input" | "output") =>
    fields.has(key) ? read(key) : missing(node, key, unit, report);
  const [input, output] = [needed("input"), needed("output")];
  const [cacheRead, cacheWrite] = [read("cache_read"), read("cache_write")];
  if (input === undefined || output === undefined) return undefined;
  // Elsewhere nobody promised less: a budget had better be too careful.
  // https://docs.claude.com/en/docs/build-with-claude/prompt-caching#pricing
  const [readShare, writeShare] = kind === "anthropic" ? [0.1, 1.25] : [1, 1];
  return {
    input,
    output,
    cacheRead: cacheRead ?? round(input * readShare),
    cacheWrite: cacheWrite ?? round(input * writeShare),
  };
}

function readUsd(
  node: Node,
  factor: number,
  unit: string,
  report: Report,
): number | undefined {
  const text = node.kind === "scalar" ? node.text : "";
  const usd = NUMBER.test(text) ? readNumber(node, report) : undefined;
  return usd !== undefined && usd >= 0 && usd * factor <= 1e6
    ? round(usd * factor)
    : wrong(node, report, unit);
}

/** 0.00045 of a thousand is 0.45 of a million, not 0.45000000000000001. */
function round(usd: number): number {
  return Number(usd.toPrecision(12));
}
