import type { Config } from "./config.ts";
import type { Definition } from "./event.ts";
import { ownColumns } from "./explicit.ts";
import { canonicalText, digest } from "./identity.ts";
import { fallback } from "./plan.ts";
import type { Row } from "./csv.ts";
import type { Value } from "./value.ts";

/** What a later run compares itself with; `rows` as for `expand`. */
export function defineSweep(config: Config, rows: readonly Row[] = []): Definition {
  const defaults: [string, Value][] = [];
  const parameters: string[] = [];
  for (const parameter of config.parameters) {
    parameters.push(parameter.name);
    const value = fallback(parameter);
    if (value !== undefined) defaults.push([parameter.name, value]);
  }
  const columns = [...rows[0]?.cells.keys() ?? []];
  for (const column of ownColumns(columns, config, config.trialsFile ?? "trials")) {
    parameters.push(column);
    const first = rows[0]!.cells.get(column)!;
    const text = canonicalText(first);
    const isOnly = rows.every(({ cells }) => canonicalText(cells.get(column)!) === text);
    if (isOnly) defaults.push([column, first]);
  }
  if (config.repeats !== undefined) {
    const { parameter, count, first } = config.repeats;
    parameters.push(parameter);
    if (count === 1) defaults.push([parameter, first]);
  }
  return {
    defaults: Object.fromEntries(defaults),
    parameters,
    staticOverrides: config.staticOverrides,
    fixed: fixedDigest(config.staticOverrides, config.launcher),
  };
}

/** Digest of the static overrides in their order and the launcher's path. */
export function fixedDigest(staticOverrides: readonly string[], launcher: string): string {
  return digest(JSON.stringify([staticOverrides, launcher]));
}
