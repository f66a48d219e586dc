import { choiceText } from "./identity.ts";
import type { Value } from "./value.ts";

/** A trial with the value that it is ranked by; null for NaN, infinities and what is no number. */
export interface Contender {
  index: number;
  params: Readonly<Record<string, Value>>;
  value: number | null;
}

/** Trials that differ in nothing but the repeats' parameter. */
export interface Repeated {
  /** Ascending; those with a value. */
  indices: readonly number[];
  /** Without the repeats' parameter. */
  params: Readonly<Record<string, Value>>;
  /** Null when one of the values is no number: a diverged repeat does not vanish from the mean. */
  mean: number | null;
  /** Standard deviation of the sample; null for fewer than two values. */
  std: number | null;
}

export type Direction = "min" | "max";

/** Best first; what has no number comes last, equals in the order of their indices. */
export function rank<T extends Contender>(contenders: readonly T[], direction: Direction): T[] {
  return sorted(contenders, direction, ({ value }) => value, ({ index }) => index);
}

/** Groups the repeats of each choice, best mean first. */
export function rankRepeats(
  contenders: readonly Contender[],
  parameter: string,
  direction: Direction,
): Repeated[] {
  const groups = new Map<string, { params: Contender["params"]; members: Contender[] }>();
  for (const contender of contenders) {
    const params = Object.fromEntries(
      Object.entries(contender.params).filter(([name]) => name !== parameter),
    );
    const key = choiceText(params);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { params, members: [contender] });
    else group.members.push(contender);
  }
  const repeated = [...groups.values()].map(({ params, members }): Repeated => ({
    indices: members.map(({ index }) => index).sort((a, b) => a - b),
    params,
    ...spread(members.map(({ value }) => value)),
  }));
  return sorted(repeated, direction, ({ mean }) => mean, ({ indices }) => indices[0]!);
}

function spread(values: readonly (number | null)[]): { mean: number | null; std: number | null } {
  const numbers = values.filter((value) => value !== null);
  if (numbers.length < values.length) return { mean: null, std: null };
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  if (numbers.length < 2) return { mean, std: null };
  const squares = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: Math.sqrt(squares / (numbers.length - 1)) };
}

function sorted<T>(
  items: readonly T[],
  direction: Direction,
  valueOf: (item: T) => number | null,
  tieBreak: (item: T) => number,
): T[] {
  const sign = direction === "min" ? 1 : -1;
  return [...items].sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null || y === null) {
      if (x !== y) return x === null ? 1 : -1;
    } else if (x !== y) return sign * (x < y ? -1 : 1);
    return tieBreak(a) - tieBreak(b);
  });
}
