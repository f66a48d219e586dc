import type { Terminal } from "../../lib/base/terminal.ts";
import { renderTable } from "../../lib/base/table.ts";
import { count } from "../../lib/base/text.ts";
import { visible } from "../../lib/base/width.ts";
import { ageText } from "../task/show-task.ts";

/** As /v1/pool gives it; see lib/tasks/pool-document.ts. */
export interface PoolDocument {
  stopped: { now: boolean; why: string; by: string; at: number } | null;
  holdback: string | null;
  queue: { waiting: number; running: number; oldest_at: number | null };
  totals: Readonly<Record<string, number>>;
  workers: readonly {
    worker: string;
    status: string;
    labels: readonly string[];
    via: string;
    host: string | null;
    slots: number | null;
    seen_at: number | null;
    running: readonly { task: string; epoch: number; phase: string }[];
  }[];
  today: { usd: number; budget_usd: number | null; unpriced: number };
}

export function showPool(out: Terminal, pool: PoolDocument, running: boolean): void {
  const now = Date.now();
  const { queue, today, totals } = pool;
  const { yellow, red } = out.paint;
  if (!running) out.print(yellow("No daemon runs: nothing is given out (`herd pool start`)"));
  if (pool.holdback !== null) out.print(red(visible(pool.holdback)));
  const oldest = queue.oldest_at === null
    ? ""
    : `, the oldest for ${ageText(now - queue.oldest_at)}`;
  out.print(`${queue.waiting} waiting${oldest}, ${queue.running} with workers`);
  const over = ["succeeded", "failed", "expired", "cancelled", "dead"]
    .flatMap((status) => totals[status] === undefined ? [] : [`${totals[status]} ${status}`]);
  if (over.length > 0) out.print(over.join(", "));
  const budget = today.budget_usd === null ? "" : ` of $${today.budget_usd}`;
  const unknown = today.unpriced === 0
    ? ""
    : `, and ${count(today.unpriced, "attempt")} without a known price`;
  out.print(`today $${today.usd.toFixed(2)}${budget}${unknown}`);
  out.print("");
  if (pool.workers.length === 0) {
    out.print("No workers: `herd pool enrol NAME` gives a code for `herd worker`");
    return;
  }
  renderTable(
    [
      { title: "worker" },
      { title: "status" },
      { title: "slots", align: "right" },
      { title: "host", shrinkTo: 8 },
      { title: "seen", align: "right" },
      { title: "doing", shrinkTo: 12 },
    ],
    pool.workers.map((one) => [
      one.worker,
      one.status,
      one.slots === null ? "" : `${one.running.length}/${one.slots}`,
      one.host ?? "",
      one.seen_at === null ? "never" : ageText(now - one.seen_at),
      one.running.map(({ task, phase }) => `${task} ${phase}`.trim()).join(", "),
    ]),
    { width: out.columns },
  ).forEach((line) => out.print(line));
}
