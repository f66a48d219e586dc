import type { Thinking } from "../tasks/backend.ts";
import type { TaskEnd } from "../tasks/pool-event.ts";
import type { Attempt, Task } from "../tasks/task.ts";
import { spanText } from "../words/duration-text.ts";
import { keepBeginning, quoted } from "../words/post-text.ts";
import { encodeButton } from "./button-id.ts";
import type { Button, Outgoing, OutgoingFile } from "./message.ts";
import { agentText, blockOf, costText, originText, span, sumOf, tagsText } from "./pool-text.ts";
import { nonceOf } from "./post-view.ts";
import { ruleText } from "./safe-text.ts";

/** A task's end, and what it is told with. */
export interface ResultFacts {
  task: Task;
  status: TaskEnd;
  why: string;
  /** The attempt that ended it; undefined when none had begun. */
  attempt: Attempt | undefined;
  seq: number;
  /** What `task.wish` leaves open. */
  defaults: { model: string | undefined; thinking: Thinking };
  /** Where the task was asked for. */
  url: string | undefined;
  mark: string;
}

/** What of an attempt goes beside its post. */
export interface Delivery {
  /** RESULT.md first, when it is there. */
  files: readonly OutgoingFile[];
  /** Paths of those that are attached. */
  attached: readonly string[];
  /** What is left out and why, a sentence without period; undefined: nothing. */
  left: string | undefined;
}

export const WORD: Readonly<Record<TaskEnd, string>> = {
  succeeded: "SUCCESS",
  failed: "FAILED",
  cancelled: "CANCELLED",
  expired: "EXPIRED",
  dead: "DEAD",
};

/** Discord takes 2,000 characters. */
const ROOM = 1_980;
/** So that a short result always stands in its post. */
const HEAD_ROOM = 1_750;
const PROMPT = 500;
/** A result of so many characters needs no file. */
export const SHORT = 700;
const BEGINNING = 400;
const FILES_NAMED = 10;
const RETRYABLE: readonly TaskEnd[] = ["failed", "dead", "expired"];

/** `short`: the whole result stands in the post. */
export function isShort(result: string): boolean {
  return result.length <= SHORT && result.split("\n").length <= 25;
}

export function resultView(facts: ResultFacts, delivery: Delivery): Outgoing {
  const { task, attempt, mark, seq } = facts;
  const result = attempt?.report?.result ?? "";
  const head = headOf(facts, delivery);
  const room = Math.min(isShort(result) ? SHORT + 60 : BEGINNING, ROOM - head.length - 20);
  const said = result.trim() === ""
    ? []
    : room < 60
    ? ["**Result** in the file"]
    : [`**Result**\n${agentText(result, room)}`];
  const { epoch } = attempt ?? { epoch: 0 };
  return {
    content: [head, ...said].join("\n"),
    ...(delivery.files.length === 0 ? {} : { files: delivery.files }),
    ...retryRow(facts),
    nonce: nonceOf(mark, `result/${task.id}:${epoch}/${seq}`, 0),
  };
}

/** All but the result. At their longest all lines together have no room: then some are cut shorter. */
function headOf(facts: ResultFacts, delivery: Delivery): string {
  const { task, attempt } = facts;
  const sizes = [[PROMPT, 50], [PROMPT, 24], [250, 24], [100, 12]] as const;
  const heads = sizes.map(([prompt, name]) =>
    [
      headline(facts),
      spentLine(facts),
      fromLine(facts),
      ...causeLines(facts),
      `**Task Prompt**\n${blockOf(task.wish.text, prompt, prompt + 60)}`,
      ...filesLines(attempt, delivery, name),
    ].join("\n")
  );
  return heads.find((head) => head.length <= HEAD_ROOM) ?? heads.at(-1)!.slice(0, ROOM - 30);
}

/** `**[SUCCESS]** task-id · worker gpu1 · attempt 2 · 3 min`. */
function headline({ task, status, attempt }: ResultFacts): string {
  const parts = [
    `**[${WORD[status]}]** ${span(task.id)}`,
    attempt === undefined ? "no worker had it" : `worker ${span(attempt.worker, 60)}`,
    attempt === undefined ? undefined : `attempt ${attempt.epoch}`,
    durationOf(attempt),
  ];
  return parts.filter((one) => one !== undefined).join(" · ");
}

function durationOf(attempt: Attempt | undefined): string | undefined {
  const { report, acceptedAt, endedAt } = attempt ?? {};
  if (report !== undefined) return spanText(report.endedAt - report.startedAt);
  return acceptedAt === undefined || endedAt === undefined
    ? undefined
    : spanText(endedAt - acceptedAt);
}

/** `Model: coder | Thinking: high | Tokens: 1,200 in, 300 out | Cost: $0.02`. */
function spentLine({ task, attempt, defaults }: ResultFacts): string {
  const sum = sumOf(attempt?.use ?? []);
  const named = task.wish.model ?? attempt?.as?.model ?? defaults.model ?? "n/a";
  const used = [...new Set((attempt?.use ?? []).map(({ model }) => model))]
    .filter((one) => one !== named).slice(0, 3);
  const model = used.length === 0
    ? span(named, 80)
    : `${span(named, 80)} (${used.map((one) => span(one, 60)).join(", ")})`;
  const tokens = sum === undefined || (sum.usd === null && sum.input + sum.output === 0)
    ? "n/a"
    : `${numberText(sum.input)} in${
      sum.cached > 0 ? ` (${numberText(sum.cached)} from the cache)` : ""
    }, ${numberText(sum.output)} out`;
  const all = sumOf(task.attempts.flatMap(({ use }) => use));
  const others = task.attempts.filter(({ use }) => use.length > 0).length > 1
    ? ` (all attempts: ${costText(all?.usd ?? null)})`
    : "";
  return `Model: ${model} | Thinking: ${
    task.wish.thinking ?? attempt?.as?.thinking ?? defaults.thinking
  } | ` +
    `Tokens: ${tokens} | Cost: ${sum === undefined ? "n/a" : costText(sum.usd)}${others}`;
}

function fromLine({ task, url }: ResultFacts): string {
  const tags = tagsText(task.wish);
  const link = url === undefined ? "" : ` · [the task](<${url}>)`;
  return `-# from ${ruleText(originText(task.origin))}${
    tags === "" || tags.length > 200 ? "" : ` · ${tags}`
  }${link}`;
}

function causeLines({ status, why, attempt }: ResultFacts): string[] {
  const cause = why || attempt?.report?.cause || attempt?.lost || "";
  return cause === "" || status === "succeeded" ? [] : [`Cause: ${ruleText(quoted(cause, 300))}`];
}

function filesLines(
  attempt: Attempt | undefined,
  { attached, left }: Delivery,
  longest: number,
): string[] {
  const { report } = attempt ?? {};
  if (report === undefined) return [];
  const { files, folder } = report;
  const named = files.slice(0, FILES_NAMED).map(({ path, bytes }) =>
    `${span(path, longest)} ${bytesText(bytes)}${attached.includes(path) ? " 📎" : ""}`
  );
  const more = files.length > FILES_NAMED ? `, and ${files.length - FILES_NAMED} more` : "";
  return [
    ...(files.length === 0 ? [] : [`Files: ${named.join(", ")}${more}`]),
    ...(left === undefined ? [] : [`-# ${left}`]),
    ...(folder === "" ? [] : [`📁 ${span(folder, 160)}`]),
  ];
}

function retryRow({ task, status, mark }: ResultFacts): { rows?: Button[][] } {
  if (!RETRYABLE.includes(status)) return {};
  const id = encodeButton({ action: "pool-retry", sweep: mark, args: [task.id] });
  return id === undefined
    ? {}
    : { rows: [[{ id, label: "Retry", emoji: "🔁", style: "primary" }]] };
}

/** The same in short, for who asked for it elsewhere. */
export function answerView(facts: ResultFacts, resultUrl: string, replyTo?: string): Outgoing {
  const { task, attempt, mark, seq, status } = facts;
  const result = attempt?.report?.result ?? "";
  const head = [
    `${headline(facts)} · [all of it](<${resultUrl}>)`,
    ...causeLines(facts),
  ].join("\n");
  const room = Math.min(1_200, ROOM - head.length);
  const text = result.trim() === "" || (status !== "succeeded" && attempt?.report?.end !== "done")
    ? ""
    : `\n${agentText(result, room)}`;
  return {
    content: `${head}${text}`,
    ...(replyTo === undefined ? {} : { replyTo }),
    nonce: nonceOf(mark, `answer/${task.id}:${attempt?.epoch ?? 0}/${seq}`, 0),
  };
}

/** One of many, in one line: `[SUCCESS] task-id · gpu1 · $0.02`. */
export function resultLine({ task, status, attempt, why }: ResultFacts): string {
  const sum = sumOf(attempt?.use ?? []);
  const parts = [
    `**[${WORD[status]}]** ${span(task.id, 60)}`,
    attempt === undefined ? undefined : span(attempt.worker, 30),
    durationOf(attempt),
    sum === undefined ? undefined : costText(sum.usd),
    why === "" || status === "succeeded" ? undefined : ruleText(quoted(why, 60)),
  ];
  return parts.filter((one) => one !== undefined).join(" · ");
}

/** One that Discord does not take as it is: nothing in it but what rules say. */
export function plainResult({ task, status, attempt }: ResultFacts): Outgoing {
  const folder = attempt?.report?.folder ?? "";
  return {
    content: `**[${WORD[status]}]** ${span(task.id)}: the rest cannot be shown here${
      folder === "" ? "" : `; it is in ${span(keepBeginning(folder, 300), 300)}`
    }`,
  };
}

function numberText(n: number): string {
  return `${n}`.replace(/\B(?=(\d{3})+$)/g, ",");
}

export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
