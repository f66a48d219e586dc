import type { Terminal } from "../../lib/base/terminal.ts";
import { renderTable } from "../../lib/base/table.ts";
import { count } from "../../lib/base/text.ts";
import { visible } from "../../lib/base/width.ts";
import { ageText } from "../task/show-task.ts";

/** As /v1/pool gives it; see lib/tasks/pool-document.ts. */
export interface PoolDocument {
  stopped: { now: boolean; why: string; by: string; at: number } | null;
  holdback: string | null;
  troubles: readonly string[];
  queue: {
    waiting: number;
    running: number;
    oldest_at: number | null;
    unmet: readonly { worker: string; tasks: number }[];
  };
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
    job: { id: string | null; state: string; node: string | null; reason: string | null } | null;
  }[];
  slurm: { least: number; most: number; trouble: string | null } | null;
  today: { usd: number; budget_usd: number | null; unpriced: number };
}

export function showPool(out: Terminal, pool: PoolDocument, running: boolean): void {
  const now = Date.now();
  const { queue, today, totals } = pool;
  const { yellow, red } = out.paint;
  if (!running) out.print(yellow("No daemon runs: nothing is given out (`herd pool start`)"));
  if (pool.holdback !== null) out.print(red(visible(pool.holdback)));
  for (const trouble of pool.troubles) out.print(yellow(visible(trouble)));
  const oldest = queue.oldest_at === null
    ? ""
    : `, the oldest for ${ageText(now - queue.oldest_at)}`;
  out.print(`${queue.waiting} waiting${oldest}, ${queue.running} with workers`);
  for (const { worker, tasks } of queue.unmet) {
    out.print(
      yellow(`${count(tasks, "task")} for "${visible(worker)}", whom the pool does not have`),
    );
  }
  const over = ["succeeded", "failed", "expired", "cancelled", "dead"]
    .flatMap((status) => totals[status] === undefined ? [] : [`${totals[status]} ${status}`]);
  if (over.length > 0) out.print(over.join(", "));
  const budget = today.budget_usd === null ? "" : ` of $${today.budget_usd}`;
  const unknown = today.unpriced === 0
    ? ""
    : `, and ${count(today.unpriced, "attempt")} without a known price`;
  out.print(`today $${today.usd.toFixed(2)}${budget}${unknown}`);
  if (pool.slurm !== null) {
    const { least, most, trouble } = pool.slurm;
    const wanted = least === most ? `${least}` : `${least} to ${most}`;
    out.print(
      `in SLURM ${pool.workers.filter(({ job }) => job !== null).length}, wanted ${wanted}`,
    );
    if (trouble !== null) out.print(yellow(visible(trouble)));
  }
  out.print("");
  if (pool.workers.length === 0) {
    out.print(
      "No workers: `herd worker` starts one here; `herd pool enrol NAME` is for other machines",
    );
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
      ...(pool.slurm === null ? [] : [{ title: "SLURM job", shrinkTo: 12 }]),
    ],
    pool.workers.map((one) => [
      one.worker,
      one.status,
      one.slots === null ? "" : `${one.running.length}/${one.slots}`,
      one.host ?? "",
      one.seen_at === null ? "never" : ageText(now - one.seen_at),
      one.running.map(({ task, phase }) => `${task} ${phase}`.trim()).join(", "),
      ...(pool.slurm === null ? [] : [jobText(one.job)]),
    ]),
    { width: out.columns },
  ).forEach((line) => out.print(line));
}

/** `1234 RUNNING on node7`, `1235 PENDING (Resources)`. */
function jobText(job: PoolDocument["workers"][number]["job"]): string {
  if (job === null) return "";
  const { id, state, node, reason } = job;
  return visible([
    ...(id === null ? [] : [id]),
    state,
    ...(node === null ? [] : [`on ${node}`]),
    ...(reason === null ? [] : [`(${reason})`]),
  ].join(" "));
}
