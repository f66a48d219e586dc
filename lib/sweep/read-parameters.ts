import type { Parameter } from "./config.ts";
import {
  type Fields,
  isNull,
  missing,
  oneOf,
  quote,
  readChoice,
  readFields,
  readText,
  wrong,
} from "./fields.ts";
import { bareName } from "./parameter-name.ts";
import { readContinuous } from "./read-continuous.ts";
import { readDiscrete } from "./read-discrete.ts";
import type { Report } from "./report.ts";
import type { Entry, MappingNode, Node } from "./yaml-node.ts";

/** What the sections after `parameters` need to know of it. */
export interface ParameterTable {
  parameters: readonly Parameter[];
  /** Bare name to the name as written; also of parameters that could not be read. */
  names: ReadonlyMap<string, string>;
  /** Where each stands, by the name as written. */
  entries: ReadonlyMap<string, Entry>;
}

const TYPES = ["discrete", "continuous"] as const;
const COMMON = ["type", "abbrev", "default"] as const;
const DISCRETE = [...COMMON, "values", "labels"] as const;
const CONTINUOUS = [...COMMON, "low", "high", "scale", "steps"] as const;
/** What may stand in a file name and in a shell word without quotes. */
const TOKEN = /^[A-Za-z0-9._-]+$/;
const TOKEN_RULE = "letters, digits, dot, underscore and hyphen, no hyphen first";
const LONGEST_NAME = 200;

/**
 * The section `parameters`. With a trials file (`columns`) each entry describes
 * a column: `type` and `values` may be left out.
 */
export function readParameters(
  node: Node,
  report: Report,
  options: { columns: boolean },
): ParameterTable | undefined {
  if (node.kind !== "mapping") {
    return wrong(
      node,
      report,
      'a mapping of names to parameters such as "lr: {type: discrete, …}"',
    );
  }
  if (node.entries.length === 0 && !options.columns) {
    return wrong(node, report, "at least one parameter");
  }
  const names = new Map<string, string>();
  const entries = new Map<string, Entry>();
  const parameters: Parameter[] = [];
  for (const entry of node.entries) {
    entries.set(entry.key, entry);
    const bare = bareName(entry.key);
    const other = names.get(bare);
    if (other !== undefined) {
      report.mistake(
        entry.at,
        `Cannot tell the parameters ${quote(other)} and ${quote(entry.key)} apart: ` +
          `both are ${quote(bare)} without their prefix`,
      );
    } else names.set(bare, entry.key);
    const parameter = readParameter(entry, report, options);
    if (parameter !== undefined) parameters.push(parameter);
  }
  checkTokens(parameters, entries, report);
  return { parameters, names, entries };
}

function readParameter(
  entry: Entry,
  report: Report,
  options: { columns: boolean },
): Parameter | undefined {
  const { key: name, value: node } = entry;
  if (node.kind !== "mapping" && !(options.columns && isNull(node))) {
    return wrong(node, report, 'a mapping such as "{type: discrete, values: [1, 2]}"');
  }
  const type = readType(node, report, options);
  if (type === undefined) return undefined;
  const fields = readFields(node, type === "discrete" ? DISCRETE : CONTINUOUS, report);
  if (fields === undefined) return undefined;
  const abbrev = readAbbrev(fields, report);
  if (abbrev !== false) checkName(entry, abbrev, report);
  const rest = type === "discrete"
    ? readDiscrete(node, fields, report, options)
    : readContinuous(node, fields, report);
  return rest === undefined ? undefined : { name, abbrev: abbrev || undefined, ...rest };
}

function readType(
  node: Node,
  report: Report,
  options: { columns: boolean },
): Parameter["type"] | undefined {
  const entries = node.kind === "mapping" ? node.entries : [];
  const given = entries.find((entry) => entry.key === "type");
  if (given !== undefined) return readChoice(given.value, TYPES, report);
  if (options.columns) return "discrete";
  return node.kind === "mapping" ? missing(node, "type", oneOf(TYPES), report) : undefined;
}

/** False when there is one that cannot be used. */
function readAbbrev(fields: Fields, report: Report): string | undefined | false {
  const entry = fields.get("abbrev");
  if (entry === undefined) return undefined;
  const text = readText(entry.value, report);
  if (text === undefined) return false;
  if (isToken(text)) return text;
  wrong(entry.value, report, TOKEN_RULE);
  return false;
}

function checkName(entry: Entry, abbrev: string | undefined, report: Report): void {
  const name = entry.key;
  const bare = bareName(name);
  const cannot = `Cannot use ${quote(name)} as a parameter's name`;
  if (bare === "" || name.length > LONGEST_NAME) {
    report.mistake(entry.at, `${cannot}: expected 1 to ${LONGEST_NAME} characters`);
    // deno-lint-ignore no-control-regex
  } else if (/["'`=\\\s\u0000-\u001f\u007f-\u009f]/.test(name) || bare.startsWith("-")) {
    report.mistake(
      entry.at,
      `${cannot}: quotes, backtick, "=", backslash, white space and a hyphen in front are not allowed`,
    );
  } else if (bare === "experiment_name") {
    report.mistake(entry.at, `${cannot}: herd itself sets it for each trial`);
  } else if (abbrev === undefined && !isToken(name)) {
    report.mistake(
      entry.at,
      `${cannot} without an "abbrev": allowed are ${TOKEN_RULE}`,
      `Add "abbrev: ${suggestion(bare)}" to it`,
    );
  }
}

/** The parts of an experiment's name must differ, or two trials could share one. */
function checkTokens(
  parameters: readonly Parameter[],
  entries: ReadonlyMap<string, Entry>,
  report: Report,
): void {
  const owners = new Map<string, string>();
  for (const { name, abbrev } of parameters) {
    const token = abbrev ?? name;
    const owner = owners.get(token);
    if (owner === undefined) {
      owners.set(token, name);
      continue;
    }
    const { at, value } = entries.get(name)!;
    const given = (value as MappingNode).entries?.find((entry) => entry.key === "abbrev");
    report.mistake(
      given?.value ?? at,
      `Cannot use "${token}" for both ${quote(owner)} and ${quote(name)}: ` +
        "each parameter needs a short name of its own",
      `Give one of them another "abbrev"`,
    );
  }
}

function isToken(text: string): boolean {
  return TOKEN.test(text) && !text.startsWith("-") && text.length <= LONGEST_NAME;
}

function suggestion(bare: string): string {
  return bare.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^[-_.]+/, "").slice(0, 20) || "p";
}
