import { agentText, costText, span, sumOf } from "../discord/pool-text.ts";
import { codeBlock } from "../discord/safe-text.ts";
import type { Said } from "../sweep/monitor-event.ts";
import { PROPOSAL_FILE } from "../tasks/attempt-files.ts";
import type { Task } from "../tasks/task.ts";
import { spanText } from "../words/duration-text.ts";
import { keepBeginning, quoted } from "../words/post-text.ts";

/** Of an answer and of a diff in a post; what is longer goes along as a file. */
const ANSWER = 1_400;
const DIFF = 1_300;
/** Of such a file, in UTF-16 units. */
const MORE = 120_000;
const NOTES = 5;

/** The text of a task about a trial. Nothing that a log or a YAML says is in it. */
export function askedText(
  { sweep, trial, status }: { sweep: string; trial: number; status: string },
  text: string | undefined,
): string {
  const name = /^[\w.-]{1,60}$/.test(sweep) ? ` of the sweep ${sweep}` : " of a sweep";
  const where =
    "What is known of it is in the files of the folder data/: data/README.txt lists them.";
  if (text !== undefined && text.trim() !== "") {
    return `${text.trim()}\n\nThis is about trial ${trial}${name}. ${where}`;
  }
  const what = status === "failed"
    ? "failed. Find out why"
    : `is ${status}. Find out what is wrong`;
  return `Trial ${trial}${name} ${what}. ${where}

Say in a few sentences: what the cause is, which line or setting shows it, how sure you are, and what
to do. Where a small change of the configuration or the launcher would mend it, propose that change as
AGENTS.md describes.`;
}

/** What a task found, as a post of the sweep. */
export function answerPost(task: Task, trial: number): Said {
  const { id, epoch, status, why, attempts, wish } = task;
  const attempt = attempts.find((one) => one.epoch === epoch);
  const report = attempt?.report;
  const sum = sumOf(attempt?.use ?? []);
  const model = attempt?.use[0]?.model ?? wish.model;
  const head = [
    `**[${WORDS[status] ?? status.toUpperCase()}]** ${span(id)} about trial ${trial}`,
    model === undefined ? "" : `model ${span(model, 60)}`,
    report === undefined ? "" : spanText(report.endedAt - report.startedAt),
    sum === undefined ? "cost n/a" : `cost ${costText(sum.usd)}`,
  ].filter((one) => one !== "").join(" · ");
  const result = report?.result.trim() ?? "";
  const shown = status !== "succeeded"
    ? `Cause: ${
      inLine(why || report?.cause || "not known", 400)
    }. \`herd task retry ${id}\` has it tried again.`
    : result === ""
    ? "It left no answer."
    : agentText(fenceless(result.slice(0, 4 * ANSWER)), ANSWER);
  return {
    key: `answer/${id}/${epoch}/${status}`,
    kind: "task",
    text: `${head}\n${shown}`,
    task: {
      id,
      epoch,
      trial,
      ...(status === "succeeded" && result.length > ANSWER - 20
        ? { more: { name: "RESULT.md", text: result.slice(0, MORE).toWellFormed() } }
        : {}),
    },
  };
}

function inLine(text: string, most: number): string {
  return quoted(text, most).replaceAll("`", "'");
}

/** A fence within a line opens a block in Discord, and is none to whoever cuts a text into posts. */
function fenceless(text: string): string {
  return text.split("\n").map((line) =>
    /^`{3}[\w-]*$/.test(line) ? line : line.replaceAll("```", "'''")
  ).join("\n");
}

/** A change that is to be decided, or why it is none. */
export function proposalPost(
  { id, epoch }: Pick<Task, "id" | "epoch">,
  trial: number,
  judged: { diff: string; names: readonly string[]; notes: readonly string[] } | {
    refused: string;
  },
): Said {
  const key = `proposal/${id}/${epoch}`;
  if ("refused" in judged) {
    const text = `${inLine(judged.refused, 600)}. \`herd task show ${id}\` shows it.`;
    return { key, kind: "task", text, task: { id, epoch, trial } };
  }
  const { diff, names, notes } = judged;
  const isCut = diff.length > DIFF;
  const text = [
    `The agent proposes to change ${names.map((name) => span(name, 80)).join(" and ")}:`,
    codeBlock(keepBeginning(diff, DIFF), "diff"),
    ...(isCut ? [`(all of it in ${PROPOSAL_FILE}; \`herd task show ${id}\`)`] : []),
    ...notes.slice(0, NOTES).map((note) => `- ${inLine(note, 200)}`),
    `Nothing is changed until an operator says so: \`herd task apply ${id}\` or ` +
    `\`herd task dismiss ${id}\`.`,
  ].join("\n");
  return {
    key,
    kind: "task",
    text,
    task: {
      id,
      epoch,
      trial,
      offers: "decide",
      ...(isCut ? { more: { name: PROPOSAL_FILE, text: diff.slice(0, MORE) } } : {}),
    },
  };
}

export function appliedText(
  { by, id, files, backup, trial }: {
    by: string;
    id: string;
    files: readonly string[];
    backup: string;
    trial: number | undefined;
  },
): string {
  const next = trial === undefined ? "" : ` Next: \`/run ${trial}\` runs trial ${trial} with it.`;
  return `${by} applied the change of task \`${id}\`: ${
    files.map((name) => `\`${name}\``).join(" and ")
  }. What was there before is in \`${backup}\`.${next}`;
}

export function dismissedText(by: string, id: string): string {
  return `${by} dismissed the change of task \`${id}\`. Nothing was changed.`;
}

const WORDS: Readonly<Record<string, string>> = { succeeded: "ANSWER" };
