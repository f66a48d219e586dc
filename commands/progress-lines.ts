import type { TrialProgress } from "../lib/sweep/status-document.ts";
import type { Terminal } from "../lib/base/terminal.ts";
import { clockText, elapsedSeconds, totalsOf } from "../lib/sweep/view.ts";
import type { TrialView } from "../lib/sweep/view.ts";

const SHOWN = 8;
const BAR = 30;

/** A bar, the totals, and the trials that run now: what a waiting person wants to see. */
export function progressLines(
  out: Pick<Terminal, "paint" | "columns">,
  views: readonly TrialView[],
  progress: ReadonlyMap<number, TrialProgress>,
  now: number,
): string[] {
  const { green, red, blue, dim, bold } = out.paint;
  const totals = totalsOf(views);
  const done = (totals["completed"] ?? 0) + (totals["pruned"] ?? 0) + (totals["paused"] ?? 0);
  const failed = (totals["failed"] ?? 0) + (totals["cancelled"] ?? 0);
  const running = totals["running"] ?? 0;
  const share = (n: number) => Math.round((n / Math.max(1, views.length)) * BAR);
  const cells = [share(done), share(failed), share(running)] as const;
  const rest = Math.max(0, BAR - cells[0] - cells[1] - cells[2]);
  const bar = green("█".repeat(cells[0])) + red("█".repeat(cells[1])) +
    blue("▒".repeat(cells[2])) + dim("░".repeat(rest));
  const words = Object.entries(totals).filter(([name]) => name !== "total")
    .map(([name, n]) => `${n} ${name}`).join(" · ");
  const lines = [`${bar} ${bold(`${done + failed}/${views.length}`)}  ${words}`];
  const active = views.filter(({ status }) => status === "running");
  for (const view of active.slice(0, SHOWN)) {
    const at = progress.get(view.trial.index);
    const step = at?.step === null || at?.step === undefined ? "" : `  step ${at.step}`;
    const elapsed = elapsedSeconds(view.attempt, now);
    const time = elapsed === undefined ? "" : `  ${clockText(elapsed)}`;
    lines.push(`  ${blue("▶")} ${view.trial.index}  ${view.trial.name}${time}${step}`);
  }
  if (active.length > SHOWN) lines.push(dim(`  … and ${active.length - SHOWN} more running`));
  return lines;
}

const MARKS: Readonly<Record<string, string>> = {
  running: "▶",
  completed: "✓",
  failed: "✗",
  cancelled: "■",
  pruned: "✂",
  paused: "‖",
  unknown: "?",
};

/** One line for one trial that changed: mark, index, name, status and why. */
export function transitionLine(out: Pick<Terminal, "paint">, view: TrialView): string {
  const { green, red, blue, yellow, dim } = out.paint;
  const colours: Readonly<Record<string, (text: string) => string>> = {
    running: blue,
    completed: green,
    failed: red,
    cancelled: yellow,
    unknown: yellow,
  };
  const colour = colours[view.status] ?? dim;
  const elapsed = view.status === "running" ? undefined : elapsedSeconds(view.attempt, 0);
  const facts = [
    view.note,
    elapsed === undefined || elapsed === 0 ? undefined : clockText(elapsed),
  ].filter((fact) => fact !== undefined).join(", ");
  const mark = colour(MARKS[view.status] ?? "·");
  return `${mark} ${view.trial.index}  ${view.trial.name}  ${colour(view.status)}${
    facts === "" ? "" : dim(` (${facts})`)
  }`;
}
