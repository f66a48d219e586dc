import type { Terminal } from "../../lib/base/terminal.ts";
import { visible } from "../../lib/base/width.ts";

/** As /v1/pool/tasks gives it; see lib/tasks/task-document.ts. */
export interface TaskDocument {
  task: string;
  status: string;
  text: string;
  model: string | null;
  thinking: string | null;
  created_at: number;
  ended_at: number | null;
  why: string;
  from: {
    kind: string;
    by: string;
    name: string | null;
    sweep: string | null;
    trial: number | null;
  };
  attempts: readonly {
    epoch: number;
    worker: string;
    model: string | null;
    thinking: string | null;
    assigned_at: number;
    ended_at: number | null;
    end: string | null;
    cause: string;
    folder: string | null;
    files: readonly { path: string; bytes: number }[];
    files_left_out: number;
    use: readonly { model: string }[];
  }[];
  tokens: { input: number; output: number; cache_read: number; cache_write: number };
  usd: number | null;
  result: string | null;
  data: readonly string[];
  proposal: {
    state: string;
    why: string | null;
    by: string | null;
    files: readonly string[];
    backup: string | null;
    diff: string | null;
  } | null;
}

/** "12 s", "5 min", "3 h", "2 d". */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return seconds < 36 * 3600
    ? `${Math.round(seconds / 3600)} h`
    : `${Math.round(seconds / 86400)} d`;
}

/** "n/a" for what nobody knows; what is free is "$0.00". */
export function moneyText({ usd, attempts }: Pick<TaskDocument, "usd" | "attempts">): string {
  if (attempts.every(({ use }) => use.length === 0)) return "";
  if (usd === null) return "n/a";
  return usd > 0 && usd < 0.01 ? `$${usd.toPrecision(2)}` : `$${usd.toFixed(2)}`;
}

/** Where the rest of an answer is that has no room here; undefined when this is all of it. */
export function cutNote({ task, result, attempts }: TaskDocument): string | undefined {
  const whole = attempts.flatMap(({ files }) => files).findLast(({ path }) =>
    path === "RESULT.txt"
  );
  if (result === null || whole === undefined) return undefined;
  return whole.bytes > new TextEncoder().encode(result).length
    ? `The answer is cut here: \`herd task files ${task} --out DIR\` fetches all of it (RESULT.txt)`
    : undefined;
}

export function showTask(out: Terminal, task: TaskDocument, allFiles = false): void {
  const { tokens } = task;
  const most = allFiles ? Infinity : 10;
  const models = [...new Set(task.attempts.flatMap(({ use }) => use.map(({ model }) => model)))];
  out.print(
    `${visible(task.task)}  ${task.status}${task.why === "" ? "" : `: ${visible(task.why)}`}`,
  );
  const { name, by, kind, sweep, trial } = task.from;
  const about = sweep === null ? "" : `, about trial ${trial} of ${visible(sweep)}`;
  out.print(
    `from ${visible(name ?? by)} by ${kind}${about}, ${ageText(Date.now() - task.created_at)} ago`,
  );
  const last = task.attempts.at(-1);
  const model = models.length === 0
    ? last?.model ?? task.model ?? "default model"
    : models.join(", ");
  const inputs = tokens.input + tokens.cache_read + tokens.cache_write;
  out.print(
    `Model: ${visible(model)} | Thinking: ${task.thinking ?? last?.thinking ?? "default"} | ` +
      `Tokens: ${
        task.usd === null && inputs + tokens.output === 0
          ? "n/a"
          : `${inputs} in / ${tokens.output} out`
      } | Cost: ${moneyText(task) || "none yet"}`,
  );
  for (const attempt of task.attempts) {
    const time = (attempt.ended_at ?? Date.now()) - attempt.assigned_at;
    const cause = attempt.cause === "" ? "" : `: ${visible(attempt.cause)}`;
    out.print(
      `attempt ${attempt.epoch} by ${visible(attempt.worker)}, ${ageText(time)}, ` +
        `${attempt.end ?? "not ended"}${cause}`,
    );
    if (attempt.folder !== null) out.print(`  folder ${visible(attempt.folder)}`);
    for (const { path, bytes } of attempt.files.slice(0, most)) {
      out.print(`  ${visible(path)} (${bytes} bytes)`);
    }
    if (attempt.files.length > most) {
      out.print(`  and ${attempt.files.length - most} more files; --files shows them`);
    }
    if (attempt.files_left_out > 0) {
      out.print(
        `  and ${attempt.files_left_out} more files in the folder, of which nobody keeps a list`,
      );
    }
  }
  out.print("");
  task.text.split("\n").forEach((line) => out.print(`> ${visible(line)}`));
  if (task.result !== null) {
    out.print("");
    task.result.split("\n").forEach((line) => out.print(visible(line)));
    const more = cutNote(task);
    if (more !== undefined) out.print(more);
  }
  if (task.proposal !== null) showProposal(out, task.task, task.proposal);
}

const PROPOSALS: Readonly<Record<string, string>> = {
  unread: "The change that it proposes was not looked at yet",
  open: "It proposes a change, which nobody has decided",
  applied: "Its change was applied",
  dismissed: "Its change was dismissed",
  refused: "Its change cannot be used",
};

function showProposal(
  out: Terminal,
  id: string,
  { state, why, by, backup, diff }: NonNullable<TaskDocument["proposal"]>,
): void {
  out.print("");
  const who = by === null ? "" : ` by ${visible(by)}`;
  out.print(`${PROPOSALS[state] ?? state}${who}${why === null ? "" : `: ${visible(why)}`}`);
  diff?.split("\n").forEach((line) => out.print(`  ${visible(line)}`));
  if (backup !== null) out.print(`What was there before is in ${visible(backup)}`);
  if (state === "open") {
    out.print(`herd task apply ${id} makes it, herd task dismiss ${id} drops it`);
  }
}
