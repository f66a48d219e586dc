import { UserError } from "./errors.ts";
import { nearest } from "./text.ts";

/** One option of a command, as data: parsing, help and completion all read this. */
export interface OptionSpec {
  /** Long name without dashes, as in `max-concurrent`. */
  readonly name: string;
  /** One letter without the dash. */
  readonly short?: string;
  /** How help names the value, such as `N`; an option without it is a switch. */
  readonly value?: string;
  /** The value is a number, of which `whole` takes integers only. */
  readonly number?: "whole" | "any";
  /** Smallest number allowed. */
  readonly least?: number;
  /**
   * The value may be left out and is then this. A word behind the option is its
   * value only when it is a whole number; anything else is written `--name=value`.
   */
  readonly bare?: string;
  /** The only values allowed. */
  readonly choices?: readonly string[];
  /** May be given several times; its value is then a list. */
  readonly repeatable?: boolean;
  /** Whether the bare word after a value is one more value (`--pin a=1 b=2`). */
  readonly more?: (word: string, cwd: string) => boolean;
  readonly description: string;
}

/** One positional argument, in the order in which they are typed. */
export interface ArgumentSpec {
  /** As help shows it, such as `WORKSPACE`. */
  readonly name: string;
  readonly optional?: boolean;
  /** The last one may take all the rest. */
  readonly repeatable?: boolean;
  readonly description: string;
}

type ValueOf<O extends OptionSpec> = O extends { value: string }
  ? O extends { repeatable: true } ? readonly string[]
  : O extends { number: "whole" | "any" } ? number | undefined
  : O extends { choices: readonly (infer C)[] } ? C | undefined
  : string | undefined
  : boolean;

/** What was given for each option: switches are booleans, the rest as their specification says. */
export type Values<T extends readonly OptionSpec[]> = {
  readonly [O in T[number] as O["name"]]: ValueOf<O>;
};

export interface Grammar<T extends readonly OptionSpec[]> {
  /** What the user typed to get here, such as `herd run`; named in messages. */
  command: string;
  options: T;
  arguments: readonly ArgumentSpec[];
}

export interface Parsed<T extends readonly OptionSpec[]> {
  values: Values<T>;
  positionals: string[];
}

/** Negative numbers are values and positionals, never bundles of options. */
const NEGATIVE_NUMBER = /^-(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^-(inf(inity)?|nan)$/i;

/**
 * Reads a command line: options and positionals in any order, `--name=value`,
 * `-n5`, bundled switches, `--` before words that look like options. Throws
 * UserError for what is unknown, missing, doubled or too much.
 */
export function parseArguments<const T extends readonly OptionSpec[]>(
  argv: readonly string[],
  grammar: Grammar<T>,
  cwd: string,
): Parsed<T> {
  const given = new Map<OptionSpec, string[]>();
  const positionals: string[] = [];
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--") positionals.push(...words.splice(0));
    else if (!looksLikeOption(word)) positionals.push(word);
    else {
      const read = word.startsWith("--") ? readLong : readShorts;
      const option = read(word, words, grammar, given);
      takeMore(option, words, given, cwd);
    }
  }
  checkPositionals(positionals, grammar);
  return { values: valuesOf(grammar, given), positionals };
}

function looksLikeOption(word: string): boolean {
  return word.startsWith("-") && word !== "-" && !NEGATIVE_NUMBER.test(word);
}

type Given = Map<OptionSpec, string[]>;

/** Reads `--name`, `--name value` or `--name=value`; gives back the option. */
function readLong(word: string, words: string[], grammar: AnyGrammar, given: Given): OptionSpec {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const option = grammar.options.find((one) => one.name === name);
  if (option === undefined) throw unknownOption(`--${name}`, grammar);
  if (equals < 0) return record(option, words, grammar, given);
  const value = word.slice(equals + 1);
  if (option.value !== undefined) return add(given, option, value);
  throw mistake(grammar, `Option "--${name}" takes no value, and "${value}" was given`);
}

/** Reads `-n`, `-nf`, `-j4`, `-j 4`, `-j=4`; gives back the last option. */
function readShorts(word: string, words: string[], grammar: AnyGrammar, given: Given): OptionSpec {
  for (let at = 1;; at++) {
    const option = grammar.options.find((one) => one.short === word[at]);
    if (option === undefined) throw unknownOption(at === 1 ? word : `-${word[at]}`, grammar);
    const rest = word.slice(at + 1);
    if (rest === "") return record(option, words, grammar, given);
    if (option.value !== undefined) return add(given, option, rest.replace(/^=/, ""));
    add(given, option, "");
  }
}

/** A switch, or an option whose value is the next word. */
function record(
  option: OptionSpec,
  words: string[],
  grammar: AnyGrammar,
  given: Given,
): OptionSpec {
  if (option.value === undefined) return add(given, option, "");
  if (option.bare !== undefined) {
    const value = words[0] !== undefined && /^\d+$/.test(words[0]) ? words.shift()! : option.bare;
    return add(given, option, value);
  }
  const needs = `Option "--${option.name}" needs a value (${option.value})`;
  const next = words.shift();
  if (next === undefined) throw mistake(grammar, `${needs}, and the line ends`);
  if (!looksLikeOption(next) && next !== "--") return add(given, option, next);
  const hint = `A value that begins with a dash is written --${option.name}=${next}.`;
  throw mistake(grammar, `${needs}, and "${next}" follows`, hint);
}

function takeMore(option: OptionSpec, words: string[], given: Given, cwd: string): void {
  while (words[0] !== undefined && !words[0].startsWith("-") && option.more?.(words[0], cwd)) {
    add(given, option, words.shift()!);
  }
}

function add(given: Given, option: OptionSpec, value: string): OptionSpec {
  const list = given.get(option);
  if (list === undefined) given.set(option, [value]);
  else list.push(value);
  return option;
}

type AnyGrammar = Grammar<readonly OptionSpec[]>;

function valuesOf<T extends readonly OptionSpec[]>(grammar: Grammar<T>, given: Given): Values<T> {
  const values: Record<string, unknown> = {};
  for (const option of grammar.options) {
    const texts = given.get(option);
    if (option.value === undefined) values[option.name] = texts !== undefined;
    else if (option.repeatable) {
      values[option.name] = (texts ?? []).map((text) => readValue(option, text, grammar));
    } else {
      // The last one wins, so that an alias can be overruled at its end.
      const last = texts?.at(-1);
      values[option.name] = last === undefined ? undefined : readValue(option, last, grammar);
    }
  }
  return values as Values<T>;
}

function readValue(option: OptionSpec, text: string, grammar: AnyGrammar): string | number {
  if (option.choices !== undefined && !option.choices.includes(text)) {
    const near = nearest(text, option.choices);
    throw mistake(
      grammar,
      `Option "--${option.name}" has value "${text}", allowed are ${quoted(option.choices)}`,
      near === undefined ? undefined : `Did you mean "${near}"?`,
    );
  }
  if (option.number === undefined) return text;
  return readNumber(option, text, grammar);
}

function readNumber(option: OptionSpec, text: string, grammar: AnyGrammar): number {
  const whole = option.number === "whole";
  const pattern = whole ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const number = pattern.test(text) ? Number(text) : NaN;
  const exact = !whole || Number.isSafeInteger(number);
  if (Number.isFinite(number) && exact && number >= (option.least ?? -Infinity)) return number;
  const wanted = `a ${whole ? "whole " : ""}number`;
  const bound = option.least === undefined ? "" : ` of at least ${option.least}`;
  throw mistake(
    grammar,
    `Option "--${option.name}" has value "${text}", wanted is ${wanted}${bound}`,
  );
}

function checkPositionals(positionals: readonly string[], grammar: AnyGrammar): void {
  const missing = grammar.arguments.filter((one) => !one.optional)[positionals.length];
  const required = grammar.arguments.filter((one) => !one.optional).length;
  if (positionals.length < required) {
    throw mistake(
      grammar,
      `Command "${grammar.command}" needs ${missing!.name}: ${missing!.description}`,
    );
  }
  if (grammar.arguments.at(-1)?.repeatable) return;
  const extra = positionals[grammar.arguments.length];
  if (extra !== undefined) {
    throw mistake(grammar, `Command "${grammar.command}" does not know what to do with "${extra}"`);
  }
}

function unknownOption(shown: string, grammar: AnyGrammar): UserError {
  const longs = grammar.options.map((one) => `--${one.name}`);
  const near = nearest(shown, longs) ??
    longs.find((one) => shown.length > 3 && one.startsWith(shown));
  return mistake(
    grammar,
    `Unknown option "${shown}"`,
    near === undefined ? undefined : `Did you mean "${near}"?`,
  );
}

function mistake(grammar: AnyGrammar, message: string, hint?: string): UserError {
  const help = `"${grammar.command} --help" lists what is allowed`;
  return new UserError(message, { hint: hint === undefined ? help : `${hint} ${help}` });
}

function quoted(values: readonly string[]): string {
  return values.map((value) => `"${value}"`).join(", ");
}
