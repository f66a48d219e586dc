import { nearest } from "../base/text.ts";
import { oneOf, quote } from "../sweep/fields.ts";
import { parseSpan, SPAN_FORMS } from "../sweep/span.ts";
import { THINKING } from "./backend.ts";
import { SANDBOXES } from "./sandbox.ts";
import type { TaskWish } from "./task.ts";

/** What a task may name. */
export interface Vocabulary {
  /** Aliases of the configuration. */
  models: readonly string[];
  backends: readonly string[];
  /** Names and labels; undefined when they cannot be known yet: then any word will do. */
  workers: readonly string[] | undefined;
  /** Characters. */
  longestTask: number;
}

export type WishKind = "model" | "thinking" | "worker" | "timeout" | "priority" | "sandbox" | "key";

type WishPart = Partial<Omit<TaskWish, "text">>;
type Read = (value: string, vocabulary: Vocabulary) => WishPart | { refused: string };

export const PRIORITIES: Readonly<Record<string, number>> = {
  low: -50,
  normal: 0,
  high: 50,
  urgent: 100,
};
const MOST_PRIORITY = 100;
export const LONGEST_TIMEOUT_MS = 7 * 86_400_000;
const LONGEST_KEY = 200;
const LONGEST_MODEL = 200;
/** More names than these only hide the one that was meant. */
const MOST_LISTED = 40;

export const WISH_WORDS: Readonly<Record<WishKind, Read>> = {
  model: readModel,
  thinking: (value) => choice("thinking", value, THINKING, (thinking) => ({ thinking })),
  worker: readWorker,
  timeout: readTimeout,
  priority: readPriority,
  sandbox: (value) => choice("sandbox", value, SANDBOXES, (sandbox) => ({ sandbox })),
  key: readKey,
};

function readModel(value: string, { models, backends }: Vocabulary): ReturnType<Read> {
  const alias = known(value, models);
  if (alias !== undefined) return { model: alias };
  const slash = value.indexOf("/");
  const backend = slash < 0 ? undefined : known(value.slice(0, slash), backends);
  const model = value.slice(slash + 1);
  // Printable ASCII: it goes to a provider's API, and into texts for people.
  if (backend !== undefined && /^[\x21-\x7e]+$/.test(model) && model.length <= LONGEST_MODEL) {
    return { model: `${backend}/${model}` };
  }
  const forms = [
    models.length === 0 ? "" : listed(models),
    backends.length === 0 ? "" : `BACKEND/MODEL with the backend ${listed(backends)}`,
  ].filter((form) => form !== "");
  const valid = forms.length === 0 ? "nothing: no model is configured" : forms.join(", or ");
  return refuse("model", value, valid, [...models, ...backends.map((name) => `${name}/`)]);
}

function readWorker(value: string, { workers }: Vocabulary): ReturnType<Read> {
  if (workers === undefined) {
    return /^[\p{L}\p{N}._-]{1,100}$/u.test(value)
      ? { worker: value }
      : refuse("worker", value, "a worker's name or label", []);
  }
  const worker = known(value, workers);
  if (worker !== undefined) return { worker };
  const valid = workers.length === 0 ? "nothing: no worker is enrolled yet" : listed(workers);
  return refuse("worker", value, valid, workers);
}

function readTimeout(value: string): ReturnType<Read> {
  const seconds = parseSpan(value);
  if (seconds === undefined) return refuse("timeout", value, SPAN_FORMS, []);
  const timeoutMs = seconds * 1000;
  return timeoutMs >= 1000 && timeoutMs <= LONGEST_TIMEOUT_MS
    ? { timeoutMs }
    : refuse("timeout", value, "1 second to 7 days", []);
}

function readPriority(value: string): ReturnType<Read> {
  const words = Object.keys(PRIORITIES);
  const word = known(value, words);
  if (word !== undefined) return { priority: PRIORITIES[word]! };
  const number = /^[+-]?\d{1,3}$/.test(value) ? Number(value) : NaN;
  return Math.abs(number) <= MOST_PRIORITY
    ? { priority: number === 0 ? 0 : number }
    : refuse("priority", value, `${oneOf(words)}, or a whole number from -100 to 100`, words);
}

function readKey(value: string): ReturnType<Read> {
  return value !== "" && [...value].length <= LONGEST_KEY &&
      !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value)
    ? { key: value }
    : refuse("key", value, `1 to ${LONGEST_KEY} characters on one line`, []);
}

function choice<T extends string>(
  kind: WishKind,
  value: string,
  choices: readonly T[],
  found: (choice: T) => WishPart,
): ReturnType<Read> {
  const word = known(value, choices) as T | undefined;
  return word === undefined ? refuse(kind, value, oneOf(choices), choices) : found(word);
}

/** As it is written, else in any case. */
function known(word: string, names: readonly string[]): string | undefined {
  if (names.includes(word)) return word;
  const same = names.filter((name) => name.toLowerCase() === word.toLowerCase());
  return same.length === 1 ? same[0] : undefined;
}

function listed(names: readonly string[]): string {
  const most = names.slice(0, MOST_LISTED);
  const more = names.length - most.length;
  return more === 0 ? oneOf(most) : `${oneOf(most)} and ${more} more`;
}

function refuse(
  kind: WishKind,
  value: string,
  valid: string,
  candidates: readonly string[],
): { refused: string } {
  // Nothing that long is a slip of one of the names.
  const near = value.length > 100 ? undefined : nearest(value, candidates);
  const hint = near === undefined ? "" : ` (did you mean "${near}"?)`;
  const found = value === "" ? "nothing" : quote(value);
  return { refused: `Cannot read the ${kind}: found ${found}${hint}, valid is ${valid}` };
}
