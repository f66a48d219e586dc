import type { Parameter } from "./config.ts";
import { canonicalText, trialKey } from "./identity.ts";
import { formatG, shortestText } from "./number-text.ts";
import { valueText } from "./overrides.ts";
import { bareName } from "./parameter-name.ts";
import type { Value } from "./value.ts";

/** What makes the names of a sweep's trials: its parameters in name order. */
export interface Naming {
  names: readonly string[];
  parameters: readonly Parameter[];
}

interface Named {
  params: Readonly<Record<string, Value>>;
}

/** Significant digits of numbers in names: four as HyperHerd has, more where four do not tell trials apart. */
const DIGITS = [4, 5, 6, 7, 8, 9, 10, Infinity];

/** File systems allow 255 bytes; trainers add endings. All characters are ASCII. */
const LONGEST = 200;

/**
 * Names like `lr-0.001_opt-adam`, in the order of the trials, all different and
 * none in `taken`. Trials that would share a name get more digits of their
 * numbers; those that still would (1 and "1", "a b" and "a-b") get a suffix made
 * of their key. Characters are letters, digits and `._+-`. The trials must
 * differ in their keys.
 */
export function nameTrials(
  trials: readonly Named[],
  naming: Naming,
  taken: ReadonlySet<string>,
): string[] {
  const names = new Array<string>(trials.length).fill("");
  const used = new Set(taken);
  let open = trials.map((_, i) => i);
  for (const digits of DIGITS) {
    const name = createNamer(naming, digits);
    const wanted = open.map((i) => name(trials[i]!));
    const demand = new Map<string, number>();
    for (const text of wanted) demand.set(text, (demand.get(text) ?? 0) + 1);
    open = open.filter((i, at) => {
      const text = wanted[at]!;
      if (text.length > LONGEST || demand.get(text) !== 1 || used.has(text)) return true;
      names[i] = text;
      return false;
    });
    for (const text of wanted) if (demand.get(text) === 1) used.add(text);
    if (open.length === 0) return names;
  }
  const name = createNamer(naming, DIGITS[0]!);
  for (const i of open) names[i] = withKey(name(trials[i]!), trials[i]!, used);
  return names;
}

/** `<name>-x<key>`, cut so that the whole is not too long; `used` gets it. */
function withKey(name: string, trial: Named, used: Set<string>): string {
  const key = trialKey(trial.params);
  for (let n = 0;; n++) {
    const suffix = n === 0 ? `-x${key.slice(0, 8)}` : n === 1 ? `-x${key}` : `-x${key}.${n}`;
    const text = name.slice(0, LONGEST - suffix.length) + suffix;
    if (used.has(text)) continue;
    used.add(text);
    return text;
  }
}

function createNamer(naming: Naming, digits: number): (trial: Named) => string {
  const byName = new Map(naming.parameters.map((parameter) => [parameter.name, parameter]));
  const parts = naming.names.map((name) => {
    const parameter = byName.get(name);
    const prefix = safe(parameter?.abbrev ?? bareName(name));
    return { name, write: createWriter(`${prefix}-`, parameter, digits) };
  });
  return ({ params }) => {
    let text = "";
    for (const { name, write } of parts) {
      const value = params[name];
      if (value === undefined) continue;
      text += text === "" ? write(value) : `_${write(value)}`;
    }
    return text === "" ? "trial" : text;
  };
}

/** Writes a parameter's part; a value that comes again, as in a grid, is written once. */
function createWriter(
  prefix: string,
  parameter: Parameter | undefined,
  digits: number,
): (value: Value) => string {
  const labels = labelsOf(parameter);
  const floats = parameter?.type === "discrete" ? new Set<Value>(parameter.floats) : undefined;
  const isReal = (value: Value) => parameter?.type === "continuous" || floats?.has(value) === true;
  const written = new Map<Value, string>();
  return (value) => {
    const known = written.get(value);
    if (known !== undefined) return known;
    const label = labels?.get(canonicalText(value));
    const text = prefix + (label === undefined ? token(value, isReal(value), digits) : safe(label));
    if (written.size < 1000) written.set(value, text);
    return text;
  };
}

function labelsOf(parameter: Parameter | undefined): Map<string, string> | undefined {
  if (parameter?.type !== "discrete" || parameter.labels === undefined) return undefined;
  const { labels, values } = parameter;
  return new Map(values.map((value, i) => [canonicalText(value), labels[i]!]));
}

/** Python's words, as in names that HyperHerd made. Values of a continuous parameter are floats even when whole. */
function token(value: Value, isReal: boolean, digits: number): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return safe(value);
  if (typeof value === "number") {
    if (!isReal && Number.isSafeInteger(value)) return String(value);
    return digits === Infinity ? shortestText(value) : formatG(value, digits);
  }
  return safe(valueText(value)).replace(/^-+|-+$/g, "");
}

function safe(text: string): string {
  return text.replace(/[^A-Za-z0-9._+-]+/g, "-");
}
