import { UserError } from "../base/errors.ts";
import { nearest } from "../base/text.ts";
import { parseIndexSpec } from "../sweep/index-spec.ts";
import { quoted } from "../words/post-text.ts";
import { findSlash, SLASH, usageOf } from "./table.ts";
import type { SlashArgument, SlashCommand } from "./table.ts";

/** A command with its arguments as typed, checked against the table. */
export interface ParsedSlash {
  /** Its name in the table, not an alias. */
  command: string;
  args: readonly string[];
}

/** Undefined: it is no command but a message, such as one that begins with a path. */
export function parseSlash(text: string): ParsedSlash | { mistake: string } | undefined {
  const match = /^\s*\/([A-Za-z?][\w?-]*)(?:\s+([\s\S]*))?$/.exec(text);
  if (match === null) return undefined;
  const name = match[1]!.toLowerCase().replaceAll("-", "_");
  const command = findSlash(name === "?" || name === "h" ? "help" : name);
  if (command === undefined) return { mistake: unknown(name) };
  return readArguments(command, match[2]?.trim() ?? "");
}

/** The same for words that a program hands over, such as a chat's own form of commands. */
export function checkSlash(parsed: ParsedSlash): ParsedSlash | { mistake: string } {
  const command = findSlash(parsed.command);
  if (command === undefined) return { mistake: unknown(parsed.command) };
  return readArguments(command, parsed.args.join(" "));
}

function unknown(name: string): string {
  const near = nearest(name, SLASH.flatMap((one) => [one.name, ...one.aliases ?? []]));
  const meant = near === undefined ? "" : ` Did you mean /${findSlash(near)!.name}?`;
  return `There is no command /${quoted(name, 40)}.${meant} /help lists them.`;
}

function readArguments(command: SlashCommand, text: string): ParsedSlash | { mistake: string } {
  const args: string[] = [];
  let rest = text;
  for (const argument of command.arguments) {
    if (rest === "") {
      if (argument.optional === true) break;
      return { mistake: `/${command.name} needs ${argument.name}: ${usageOf(command)}` };
    }
    const [word, after] = argument.kind === "rest"
      ? [rest, ""]
      : argument.kind === "indices"
      ? takeIndices(rest)
      : takeWord(rest);
    const mistake = check(argument, word);
    if (mistake !== undefined) {
      return { mistake: `Cannot read "${quoted(word, 60)}" of /${command.name}: ${mistake}` };
    }
    args.push(word);
    rest = after;
  }
  if (rest === "") return { command: command.name, args };
  return { mistake: tooMuch(command, rest) };
}

/** HyperHerd's `/stop 3` cancelled a trial; here it would end the monitor. */
function tooMuch(command: SlashCommand, rest: string): string {
  if (command.name === "stop" && /^[\d,\s-]+$/.test(rest)) {
    return `/stop stops the monitor and takes no index; /cancel ${rest} cancels ${
      /^\d+$/.test(rest) ? `trial ${rest}` : "these trials"
    }.`;
  }
  return `Cannot read "${quoted(rest, 60)}": ${usageOf(command)} takes no more`;
}

function takeWord(text: string): [word: string, rest: string] {
  const end = text.search(/\s/);
  return end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end).trim()];
}

/** `0, 3 7-9` and `0,3,7-9` are the same; words behind them are a reason. */
function takeIndices(text: string): [word: string, rest: string] {
  const list = /^\d[\d\s,-]*(?=\s|$)/.exec(text)?.[0];
  if (list === undefined) return takeWord(text);
  const joined = list.trim().replace(/\s*-\s*/g, "-").replace(/[\s,]+/g, ",").replace(/,$/, "");
  return [joined, text.slice(list.length).trim()];
}

/** What is wrong with a word, in words. */
function check({ kind, name, choices }: SlashArgument, word: string): string | undefined {
  if (choices !== undefined && !choices.includes(word)) {
    return `${name} is ${choices.map((one) => `"${one}"`).join(" or ")}`;
  }
  switch (kind) {
    case "index":
      return /^\d{1,9}$/.test(word) ? undefined : "wanted is one trial's index, such as 3";
    case "page":
    case "lines":
      return /^[1-9]\d{0,5}$/.test(word) ? undefined : `${name} is a whole number of at least 1`;
    case "indices":
      return indicesMistake(word);
    default:
      return undefined;
  }
}

function indicesMistake(word: string): string | undefined {
  try {
    parseIndexSpec(word);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return "wanted are indices and ranges, such as 3 or 0,3,7-9";
  }
}
