import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { renderTable } from "../lib/base/table.ts";
import { visible } from "../lib/base/width.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { openPoolDoor } from "./pool-door.ts";
import type { PoolDoor } from "./pool-door.ts";
import { ageText, moneyText, showTask } from "./task/show-task.ts";
import type { TaskDocument } from "./task/show-task.ts";
import { taskFiles } from "./task/task-files.ts";
import { waitForTask } from "./task/wait-for-task.ts";

const ACTIONS = [
  "submit",
  "list",
  "show",
  "files",
  "wait",
  "cancel",
  "retry",
  "acknowledge",
  "clear",
  "apply",
  "dismiss",
] as const;

const OPTIONS = [
  { name: "model", short: "m", value: "NAME", description: "submit: which model" },
  { name: "thinking", value: "LEVEL", description: "submit: off, low, medium or high" },
  { name: "worker", value: "NAME", description: "submit: a worker's name or label" },
  { name: "timeout", value: "TIME", description: "submit: of one attempt, such as 30m" },
  { name: "priority", value: "P", description: "submit: low, normal, high, urgent, -100 to 100" },
  { name: "sandbox", value: "LEVEL", description: "submit: none, workspace or read-only" },
  { name: "key", value: "KEY", description: "submit: the same key again is the same task" },
  {
    name: "file",
    short: "f",
    value: "FILE",
    description: "submit: the text; - for standard input",
  },
  {
    name: "trial",
    value: "N",
    number: "whole",
    least: 0,
    description: "submit: about this trial, with all that is known of it",
  },
  {
    name: "sweep",
    value: "DIR",
    description: "submit: of the sweep in this folder (default: the current one), or held as DIR",
  },
  { name: "wait", short: "w", description: "submit: until it is over, and show its answer" },
  { name: "status", value: "STATUS", description: "list: only these, by commas" },
  { name: "limit", short: "n", value: "N", number: "whole", least: 1, description: "list: 20" },
  { name: "files", description: "show: every file that the attempts left" },
  { name: "out", short: "o", value: "DIR", description: "files: fetch them into this folder" },
  { name: "reason", value: "WORDS", description: "cancel: why" },
] as const;

type TaskContext = Context<typeof OPTIONS>;

export const command = defineCommand({
  name: "task",
  summary: "Give agents tasks, and see what became of them",
  details:
    "submit takes a text, in which tags such as [model:coder] [thinking:high] [timeout:30m] may\n" +
    "stand anywhere. Without a running daemon the task is kept until one starts. wait and\n" +
    "submit --wait exit with 0 when it succeeded and 1 when it did not.\n" +
    "With --trial the text may be left out: why did it fail. The agent may propose a change of the\n" +
    "YAML or the launcher, which show shows, apply makes and dismiss drops.",
  arguments: [
    { name: "ACTION", description: ACTIONS.join(", ") },
    {
      name: "WHAT",
      optional: true,
      repeatable: true,
      description: "The text, or a task's id (retry, acknowledge, cancel: several)",
    },
  ],
  options: OPTIONS,
  examples: [
    { line: 'herd task submit "Sort out why lr=0.1 diverges [model:coder]"', meaning: "a task" },
    { line: 'herd task submit "25 × 4" --model cheap --wait', meaning: "and its answer" },
    { line: "herd task submit --trial 3 --sweep runs/lr", meaning: "why trial 3 failed" },
    { line: "herd task apply t-3k2m", meaning: "make the change that it proposes" },
    { line: "herd task list --status failed,dead", meaning: "what went wrong" },
    { line: "herd task show t-3k2m", meaning: "all of one task" },
    { line: "herd task files t-3k2m --out results", meaning: "fetch what it left" },
    { line: "herd task retry t-3k2m", meaning: "once more" },
    { line: "herd task clear", meaning: "cancel what waits; history stays" },
  ],
  async run(context) {
    const [action, ...rest] = context.positionals;
    if (!ACTIONS.some((one) => one === action)) {
      throw new UserError(`Unknown action "${action}" of herd task`, {
        hint: `Allowed are ${ACTIONS.join(", ")}`,
      });
    }
    await using door = await openPoolDoor(context);
    switch (action) {
      case "submit":
        return await submit(context, door, rest);
      case "list":
        return await list(context, door);
      case "show":
        return await show(context, door, rest);
      case "files": {
        const into = context.values.out;
        return await taskFiles(context, door, { id: one(rest, "files"), into });
      }
      case "wait":
        return await waitForTask(context, door, one(rest, "wait"));
      case "clear":
        return await clear(context, door);
      default:
        return await act(context, door, action!, rest);
    }
  },
});

async function submit(context: TaskContext, door: PoolDoor, words: readonly string[]) {
  const { values, out, json, cwd } = context;
  const about = aboutOf(context);
  const isAsked = about === undefined || words.length > 0 || values.file !== undefined;
  const body: Record<string, string | number> = {
    ...about,
    ...(isAsked ? { text: textOf(words, values.file, cwd) } : {}),
  };
  if (about !== undefined && values.key !== undefined) {
    throw new UserError("Cannot use --key with --trial", {
      hint: "The same question about the same run of a trial is the same task already",
    });
  }
  for (
    const name of [
      "model",
      "thinking",
      "worker",
      "timeout",
      "priority",
      "sandbox",
      "key",
    ] as const
  ) {
    if (values[name] !== undefined) body[name] = values[name];
  }
  const made = await door.request<{ task: TaskDocument; is_new: boolean }>(
    "POST",
    about === undefined ? "/v1/pool/tasks" : "/v1/pool/trials",
    body,
  );
  const { task } = made.task;
  if (values.wait) return await waitForTask(context, door, task);
  if (json) out.json(made);
  else {
    const before = about === undefined ? "submitted before with this key" : "asked before";
    out.print(`${task}${made.is_new ? "" : ` (${before})`}`);
    if (!door.running) {
      out.printError("No daemon runs: the task waits until one does (`herd pool start`)");
    }
  }
  return EXIT.done;
}

/** Which trial it is about; a folder is told as it is on this disk. */
function aboutOf(
  { values: { trial, sweep }, cwd }: TaskContext,
): { trial: number; sweep: string } | undefined {
  if (trial === undefined) {
    if (sweep === undefined) return undefined;
    throw new UserError("Missing --trial: --sweep alone does not say which trial it is about");
  }
  const path = resolve(cwd, sweep ?? ".");
  return { trial, sweep: sweep === undefined || existsSync(path) ? path : sweep };
}

function textOf(words: readonly string[], file: string | undefined, cwd: string): string {
  if (file !== undefined && words.length > 0) {
    throw new UserError("Cannot submit two texts: one is in --file, one on the command line");
  }
  if (file !== undefined) {
    try {
      const bytes = readFileSync(file === "-" ? 0 : resolve(cwd, file));
      return wanted(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (error) {
      if (error instanceof UserError) throw error;
      if (error instanceof TypeError) {
        throw new UserError(`Cannot submit "${file}": it is no text in UTF-8`);
      }
      throw new UserError(`Cannot read "${file}": ${(error as Error).message}`);
    }
  }
  if (words.length > 1) {
    throw new UserError("Cannot submit more than one text", {
      hint: "Put the whole task into quotes",
    });
  }
  if (words[0] === undefined) {
    throw new UserError("Missing the task's text", {
      hint: 'herd task submit "…", or --file FILE',
    });
  }
  return wanted(words[0]);
}

function wanted(text: string): string {
  if (text.trim() !== "") return text;
  throw new UserError("Cannot submit a task: its text is empty");
}

async function list({ values, out, json }: TaskContext, door: PoolDoor): Promise<number> {
  const query = new URLSearchParams({ limit: `${values.limit ?? 20}` });
  if (values.status !== undefined) query.set("status", values.status);
  const found = await door.request<{ total: number; items: TaskDocument[] }>(
    "GET",
    `/v1/pool/tasks?${query}`,
  );
  if (json) {
    out.json(found);
    return EXIT.done;
  }
  if (found.items.length === 0) {
    out.print("No tasks");
    return EXIT.done;
  }
  const now = Date.now();
  const lines = renderTable(
    [
      { title: "task" },
      { title: "status" },
      { title: "age", align: "right" },
      { title: "worker" },
      { title: "cost", align: "right" },
      { title: "text", shrinkTo: 10 },
    ],
    found.items.map((item) => [
      item.task,
      item.status,
      ageText(now - item.created_at),
      item.attempts.at(-1)?.worker ?? "",
      moneyText(item),
      item.text.split("\n")[0] ?? "",
    ]),
    { width: out.columns },
  );
  lines.forEach((line) => out.print(line));
  if (found.total > found.items.length) {
    out.print(`${found.total - found.items.length} more; --limit shows them`);
  }
  return EXIT.done;
}

async function show({ values, out, json }: TaskContext, door: PoolDoor, rest: readonly string[]) {
  const id = encodeURIComponent(one(rest, "show"));
  const task = await door.request<TaskDocument>("GET", `/v1/pool/tasks/${id}`);
  if (json) out.json(task);
  else showTask(out, task, values.files === true);
  return EXIT.done;
}

async function clear({ out, json }: TaskContext, door: PoolDoor): Promise<number> {
  const done = await door.request<{ cancelled: number; acknowledged: number }>(
    "POST",
    "/v1/pool/clear",
    {},
  );
  if (json) out.json(done);
  else {
    out.print(
      `${done.cancelled} waiting tasks cancelled, ${done.acknowledged} failures acknowledged`,
    );
  }
  return EXIT.done;
}

async function act(
  { values, out, json }: TaskContext,
  door: PoolDoor,
  action: string,
  ids: readonly string[],
): Promise<number> {
  if (ids.length === 0) {
    throw new UserError(`Missing the task's id`, { hint: "`herd task list` shows them" });
  }
  const done: TaskDocument[] = [];
  for (const id of ids) {
    const task = await door.request<TaskDocument>(
      "POST",
      `/v1/pool/tasks/${encodeURIComponent(id)}/${action}`,
      values.reason === undefined ? {} : { reason: values.reason },
    );
    done.push(task);
    if (!json) {
      out.print(`${visible(task.task)} ${actedText(action, task)}`);
    }
  }
  if (json) out.json({ items: done });
  return EXIT.done;
}

function actedText(action: string, { status, proposal }: TaskDocument): string {
  if (action === "apply" && proposal !== null) {
    const files = proposal.files.map(visible).join(" and ");
    return `changed ${files}; what was there before is in ${visible(proposal.backup ?? "")}`;
  }
  if (action === "dismiss") return "is dismissed; nothing was changed";
  return action === "cancel" && status === "running" ? "is being ended" : status;
}

function one(ids: readonly string[], action: string): string {
  if (ids.length === 1) return ids[0]!;
  throw new UserError(
    ids.length === 0 ? "Missing the task's id" : `herd task ${action} takes one task`,
    { hint: "`herd task list` shows them" },
  );
}
