import { nearest } from "../base/text.ts";
import { quote } from "../sweep/fields.ts";

/** When something is due, by the clock on the wall. */
export interface Cron {
  /** Five fields, or `@daily` and its like; blanks in order. */
  text: string;
  /** Each in order, without doubles. */
  minutes: readonly number[];
  hours: readonly number[];
  days: ReadonlySet<number>;
  months: ReadonlySet<number>;
  /** 0 is Sunday. */
  weekdays: ReadonlySet<number>;
  /** Day of the month or day of the week will do; else it takes both. */
  either: boolean;
}

interface Field {
  name: string;
  least: number;
  most: number;
  names: readonly string[];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: readonly Field[] = [
  { name: "minute", least: 0, most: 59, names: [] },
  { name: "hour", least: 0, most: 23, names: [] },
  { name: "day of the month", least: 1, most: 31, names: [] },
  { name: "month", least: 1, most: 12, names: MONTHS },
  // 7 is Sunday as well.
  { name: "day of the week", least: 0, most: 7, names: WEEKDAYS },
];

const SHORT: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
};

const LONGEST = 500;
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The five fields of cron: names, ranges, steps and lists. What is wrong: no capital, no period. */
export function parseCron(text: string): Cron | { wrong: string; hint?: string | undefined } {
  const plain = text.trim().replace(/[ \t]+/g, " ");
  if (plain.length > LONGEST) {
    return { wrong: `found ${plain.length} characters, expected at most ${LONGEST}` };
  }
  if (plain.startsWith("@")) return parseShort(plain.toLowerCase());
  const words = plain.split(" ");
  if (plain === "" || words.length !== FIELDS.length) {
    const found = plain === "" ? "nothing" : `${words.length} in ${quote(plain)}`;
    return {
      wrong: `found ${found}, expected five fields: minute, hour, day of the month, month, ` +
        "day of the week",
    };
  }
  const sets: Set<number>[] = [];
  for (const [i, field] of FIELDS.entries()) {
    const set = readField(words[i]!, field);
    if ("wrong" in set) return set;
    sets.push(set);
  }
  return settle(plain, words, sets);
}

function parseShort(word: string): ReturnType<typeof parseCron> {
  if (Object.hasOwn(SHORT, word)) return { ...parseCron(SHORT[word]!), text: word } as Cron;
  const words = Object.keys(SHORT);
  const near = nearest(word, words);
  return {
    wrong: `found ${quote(word)}, expected five fields or one of ${words.join(", ")}`,
    ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
  };
}

function settle(
  text: string,
  words: readonly string[],
  [minutes, hours, days, months, weekdays]: readonly Set<number>[],
): ReturnType<typeof parseCron> {
  if (weekdays!.delete(7)) weekdays!.add(0);
  // As cron has it: a field that begins with a star restricts, but offers no choice.
  const either = !words[2]!.startsWith("*") && !words[4]!.startsWith("*");
  const comes = [...months!].some((month) =>
    [...days!].some((day) => day <= DAYS_IN_MONTH[month - 1]!)
  );
  if (!comes && !either) {
    return { wrong: `found ${quote(text)}, which never comes: the month has no such day` };
  }
  return {
    text,
    minutes: inOrder(minutes!),
    hours: inOrder(hours!),
    days: days!,
    months: months!,
    weekdays: weekdays!,
    either,
  };
}

function inOrder(numbers: ReadonlySet<number>): number[] {
  return [...numbers].sort((a, b) => a - b);
}

function readField(text: string, field: Field): Set<number> | { wrong: string } {
  const all = new Set<number>();
  for (const part of text.split(",")) {
    const found = readPart(part, field);
    if (found === undefined) return { wrong: wrongPart(part, field) };
    for (let n = found.from; n <= found.to; n += found.step) all.add(n);
  }
  return all;
}

function readPart(
  part: string,
  field: Field,
): { from: number; to: number; step: number } | undefined {
  const [, range = "", steps] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(part) ?? [];
  const step = steps === undefined ? 1 : Number(steps);
  if (range === "*" && step >= 1) {
    return { from: field.least, to: field.names === WEEKDAYS ? 6 : field.most, step };
  }
  const ends = range.split("-").map((end) => readEnd(end, field));
  const [from, to] = ends.length === 1 ? [ends[0], ends[0]] : ends;
  if (ends.length > 2 || from === undefined || to === undefined || step < 1) return undefined;
  // "fri-sun": a week ends with Sunday, too.
  const last = field.names === WEEKDAYS && to === 0 && from > 0 ? 7 : to;
  if (last < from || (steps !== undefined && ends.length === 1)) return undefined;
  return { from, to: last, step };
}

function readEnd(text: string, { least, most, names }: Field): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return named + least;
  const number = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  return number >= least && number <= most ? number : undefined;
}

function wrongPart(part: string, { name, least, most, names }: Field): string {
  const words = names.length === 0 ? "" : `, ${names[0]} to ${names.at(-1)}`;
  return `found ${quote(part)} as the ${name}, ` +
    `expected ${least} to ${most}${words}, a range such as ${least}-${least + 2}, ` +
    'steps such as */2, or "*"';
}
