import type { Desk } from "../actions/desk.ts";
import type { Tick } from "../sweep/monitor-event.ts";
import { usdText } from "../words/amount-text.ts";
import { spanText } from "../words/duration-text.ts";
import { phaseName } from "../words/phase-text.ts";
import { quoted } from "../words/post-text.ts";
import { lines, say, table } from "./answer.ts";
import type { SlashAnswer } from "./answer.ts";
import { list, number, record, text } from "./json.ts";

/** `/info`: the monitor itself. `now` in milliseconds since the epoch. */
export function showInfo(desk: Desk, now: number): SlashAnswer {
  const info = desk.info();
  const { model, spent, confirmations } = info;
  const rows: [string, string][] = [
    ["Sweep", `${quoted(info.sweep, 60)} in ${quoted(info.path, 120)}`],
    ["Phase", phaseName(info.phase, info.stage)],
    ...(info.halted === null ? [] : [["Halted", quoted(info.halted, 160)] as [string, string]]),
    ["Monitor", info.mode === null ? "not running" : `running, with ${MODES[info.mode]}`],
    ["Model", `${model.name ?? "none"}${model.ok ? "" : `: ${quoted(model.detail, 120)}`}`],
    ["Uptime", info.startedAt === null ? "" : spanText(now - info.startedAt)],
    ["Ticks", `${info.ticks}${next(info.nextTickAt, now)}`],
    ["Cost", costText(spent)],
    ["Process", `${info.pid} on ${quoted(info.host, 60)}, herd ${info.version}`],
    ...(info.pendingMessages === 0
      ? []
      : [["Messages", `${info.pendingMessages} not answered yet`] as [string, string]]),
    ...(info.question === null
      ? []
      : [["Question", quoted(info.question, 160)] as [string, string]]),
    ...confirmations.slice(0, 5).map(({ id, what, expiresAt }): [string, string] => [
      "Asked",
      `${quoted(what, 120)}: /confirm ${id} or /deny ${id}, within ${spanText(expiresAt - now)}`,
    ]),
  ];
  return lines(
    rows.filter(([, value]) => value !== "").map(([name, value]) => `${name.padEnd(9)}${value}`),
  );
}

const MODES = { agent: "an agent", rules: "the rules alone" } as const;

function next(at: number | null, now: number): string {
  return at === null ? "" : at <= now ? ", the next is due" : `, the next in ${spanText(at - now)}`;
}

function costText({ usd, today, calls, unpriced }: {
  usd: number;
  today: number;
  calls: number;
  unpriced: number;
}): string {
  const more = unpriced > 0 ? `, and ${unpriced} calls whose price is not known` : "";
  return `${usdText(usd)} for ${calls} calls of the model, ${usdText(today)} of it today${more}`;
}

/** `/budget`: spent and allowed. */
export function showBudget(desk: Desk): SlashAnswer {
  const { spent, budget } = desk.info();
  const of = (limit: number | null) => limit === null ? "no limit" : usdText(limit);
  return lines([
    costText(spent),
    `Tick:  at most ${of(budget.tick)}`,
    `Day:   ${usdText(spent.today)} of ${of(budget.day)}`,
    `Sweep: ${usdText(spent.usd)} of ${of(budget.sweep)}`,
  ], ["At a limit the rules go on without the model; agent.budget in the YAML sets them."]);
}

/** `/ticks`: newest last. */
export function showTicks(desk: Desk, args: readonly string[], now: number): SlashAnswer {
  const wanted = Math.min(50, Number(args[0] ?? 10));
  const ticks = desk.ticks({ limit: wanted });
  if (ticks.length === 0) return say("There was no tick yet.");
  // The newest matter most: where all have no room the oldest are left out.
  const all = ticks.map((tick) => tickLine(tick, now));
  const kept: string[] = [];
  let length = 0;
  for (const line of all.toReversed()) {
    length += line.length + 1;
    if (length > 1700) break;
    kept.unshift(line);
  }
  const left = all.length - kept.length;
  return lines(kept, [
    left === 0 ? "" : `${left} older ones have no room here; /ticks ${wanted - left}`,
  ]);
}

function tickLine({ number: n, triggers, summary, startedAt, durationMs, usd }: Tick, now: number) {
  const cost = usd === null ? "?" : usdText(usd);
  return `#${n} ${spanText(now - startedAt)} ago, ${triggers.join("+")}, ${
    spanText(durationMs)
  }, ${cost}: ${quoted(summary, 160)}`;
}

/** `/queue`: reasons, then the next starts. */
export async function showQueue(desk: Desk): Promise<SlashAnswer> {
  const document = record(await desk.queue());
  const waiting = number(document["waiting"]) ?? 0;
  const warnings = list(document["warnings"]).map((one) => quoted(text(one), 200));
  const running = `${number(document["running"]) ?? 0} running`;
  const slots = number(document["slots"]);
  const room = slots === undefined ? "" : ` of ${slots} at once`;
  if (waiting === 0) return say([`Nothing waits; ${running}${room}.`, ...warnings].join("\n"));
  const reasons = list(document["reasons"]).map(record).slice(0, 6).map((one) => {
    const meaning = text(one["meaning"]);
    return `${text(one["count"])} × ${quoted(text(one["reason"]), 60)}${
      meaning === "" ? "" : `: ${meaning}`
    } (${cutRanges(text(one["trials"]))})`;
  });
  const starts = list(document["trials"]).map(record)
    .filter((one) => number(one["starts_in_seconds"]) !== undefined).slice(0, 8);
  const soon = starts.map((one) => [
    text(one["index"]),
    text(one["job_id"]),
    `in ${spanText(number(one["starts_in_seconds"])! * 1000)}`,
    text(one["starts_at"]).replace("T", " ").slice(0, 16),
  ]);
  const head = [`${waiting} waiting, ${running}${room}`, ...warnings, ...reasons];
  if (soon.length === 0) {
    return lines(head, ["The scheduler has no estimate of a start."]);
  }
  const drawn = table(
    [
      { title: "Trial", align: "right" },
      { title: "Job" },
      { title: "Starts" },
      { title: "About (UTC)" },
    ],
    soon,
    [],
  ).text;
  return lines([...head, "", ...drawn.split("\n")]);
}

function cutRanges(ranges: string): string {
  return ranges.length <= 60 ? ranges : `${ranges.slice(0, ranges.lastIndexOf(",", 60) + 1)}…`;
}
