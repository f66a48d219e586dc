import type { AttemptUse, Origin, Task, TaskWish } from "../tasks/task.ts";
import { visible } from "../base/width.ts";
import { keepBeginning, quoted } from "../words/post-text.ts";
import type { Id } from "./message.ts";
import { codeBlock, withoutMentions } from "./safe-text.ts";

/** A task that is done with, whatever came of it. */
export function isOver({ status }: Pick<Task, "status">): boolean {
  return !["queued", "assigned", "running"].includes(status);
}

/** Nobody has had it yet: it can be changed and taken back. */
export function isUntouched({ status, epoch }: Pick<Task, "status" | "epoch">): boolean {
  return status === "queued" && epoch === 0;
}

/** A name or an id as a code span that it cannot end. */
export function span(text: string, most = 120): string {
  return `\`${quoted(text, most).replaceAll("`", "'") || " "}\``;
}

/** A block of code that fits into `room` characters; text grows when it is made safe. */
export function blockOf(text: string, most: number, room: number): string {
  for (let length = most; length > 8; length = Math.floor(length * 0.8)) {
    const block = codeBlock(keepBeginning(text, length));
    if (block.length <= room) return block;
  }
  return codeBlock("…");
}

/** Words of an agent, with their Markdown: they mention nobody, and leave no fence open behind them. */
export function agentText(text: string, room: number): string {
  const clean = text.replaceAll("\t", "  ").split("\n").map(visible).join("\n").trim();
  for (let length = room - 8; length > 8; length = Math.floor(length * 0.8)) {
    const kept = withoutMentions(keepBeginning(clean, length));
    const isOpen = (kept.split("```").length - 1) % 2 === 1;
    const closed = isOpen ? `${kept}\n\`\`\`` : kept;
    if (closed.length <= room) return closed;
  }
  return "…";
}

/** US dollars: `n/a` when nobody knows, `$0.00` when it was free. */
export function costText(usd: number | null): string {
  if (usd === null) return "n/a";
  return usd > 0 && usd < 0.01 ? `$${usd.toPrecision(2)}` : `$${usd.toFixed(2)}`;
}

/** What one or several attempts used; undefined when nothing was told. Unknown is not free. */
export function sumOf(
  use: readonly AttemptUse[],
): { input: number; cached: number; output: number; usd: number | null } | undefined {
  if (use.length === 0) return undefined;
  const total = { input: 0, cached: 0, output: 0, usd: 0 as number | null };
  for (const one of use) {
    total.input += one.input + one.cacheRead + one.cacheWrite;
    total.cached += one.cacheRead;
    total.output += one.output;
    total.usd = total.usd === null || one.usd === null ? null : total.usd + one.usd;
  }
  return total;
}

/** `[model:coder] [thinking:high]`, what was wished for as one could have written it. */
export function tagsText(wish: TaskWish): string {
  const { model, thinking, worker, timeoutMs, priority, sandbox, key } = wish;
  const tags: [string, string | undefined][] = [
    ["model", model],
    ["thinking", thinking],
    ["worker", worker],
    ["timeout", timeoutMs === undefined ? undefined : `${Math.round(timeoutMs / 1000)}s`],
    ["priority", priority === 0 ? undefined : `${priority}`],
    ["sandbox", sandbox],
    ["key", key],
  ];
  return tags.flatMap(([kind, value]) =>
    value === undefined ? [] : [span(`[${kind}:${value}]`, 80)]
  ).join(" ");
}

const DOORS: Readonly<Record<Origin["kind"], string>> = {
  message: "by a message",
  cli: "by the command line",
  slash: "by /task submit",
  api: "by the API",
  button: "by a button",
  schedule: "by a schedule",
};

/** `alice, by the command line`. */
export function originText({ kind, by, name, sweep, trial }: Origin): string {
  const about = sweep === undefined
    ? ""
    : `, about ${trial === undefined ? "" : `trial ${trial} of `}${quoted(sweep, 60)}`;
  return `${quoted(name ?? by, 60)}, ${DOORS[kind]}${about}`;
}

/** Discord shows it in each reader's own time, and counts by itself. */
export function agoText(ms: number): string {
  return `<t:${Math.floor(ms / 1000)}:R>`;
}

export function messageUrl(guild: Id, channel: Id, message: Id): string {
  return `https://discord.com/channels/${guild}/${channel}/${message}`;
}
