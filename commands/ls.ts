import { NothingError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { count } from "../lib/base/text.ts";
import { matchesPins } from "../lib/sweep/pin.ts";
import { totalsOf, trialViews } from "../lib/sweep/view.ts";
import type { TrialView } from "../lib/sweep/view.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { lsDocument } from "../lib/sweep/ls-document.ts";
import { trialLines } from "./ls-lines.ts";
import { openWorkspace } from "./open.ts";
import { PIN_OPTION } from "./pin-option.ts";
import { readPins, remember, sayNotices } from "./remembered.ts";
import type { Remembered } from "./remembered.ts";

const OPTIONS = [PIN_OPTION] as const;

/** Lines are written so many at a time: a hundred thousand single writes take seconds. */
const LINES_AT_ONCE = 2000;

export const command = defineCommand({
  name: "ls",
  summary: "List the sweep's trials with their values; asks no cluster, changes nothing",
  details:
    "Shows the sweep as `herd run` would make it of the YAML now: what is kept, added and no\n" +
    "longer there. Values that differ from the parameter's default are coloured. Before the\n" +
    "first run the indices are those that it will give.",
  arguments: [{ name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." }],
  options: OPTIONS,
  examples: [
    { line: "herd ls", meaning: "every trial" },
    { line: "herd ls --pin lr=0.01 bs=32", meaning: "only trials with these values" },
    { line: "herd ls --json", meaning: "with the exact overrides that each launcher gets" },
  ],
  async run(context) {
    const { values, positionals, out, json, clock } = context;
    const outside = await openWorkspace(context, positionals[0] ?? ".");
    const now = remember(outside, clock.now());
    const pins = readPins(values.pin, now);
    const views = trialViews(now.state).filter(({ trial }) => matchesPins(trial.params, pins));
    sayNotices(out, now);
    if (json) {
      const staticOverrides = now.state.definition?.staticOverrides ?? [];
      out.json(lsDocument(views, { config: now.sweep?.config, staticOverrides }));
      return views.length === 0 ? EXIT.negative : EXIT.done;
    }
    if (views.length === 0) throw nothing(values.pin);
    print(context, now, { views, before: outside.state().trials });
    return EXIT.done;
  },
});

function nothing(pins: readonly string[]): NothingError {
  return pins.length > 0
    ? new NothingError(`No trial has ${pins.join(" ")}`, { hint: "`herd ls` lists the trials" })
    : new NothingError("No trials: the sweep is empty");
}

function print(
  { out, values }: Context<typeof OPTIONS>,
  now: Remembered,
  { views, before }: {
    views: readonly TrialView[];
    before: ReadonlyMap<number, { dropped?: boolean }>;
  },
): void {
  const refused = new Set(now.plan?.reconciliation.refused.map(({ index }) => index));
  const isNew = (index: number) => before.get(index) === undefined;
  const look = {
    paint: out.paint,
    definition: now.state.definition,
    digits: `${views.at(-1)!.trial.index}`.length,
    mark: ({ trial }: TrialView) =>
      refused.has(trial.index) || trial.dropped === true
        ? "no longer in the YAML"
        : before.size > 0 && isNew(trial.index)
        ? "new"
        : undefined,
  };
  let lines: string[] = [];
  for (const view of views) {
    lines.push(...trialLines(view, look));
    if (lines.length < LINES_AT_ONCE) continue;
    out.print(lines.join("\n"));
    lines = [];
  }
  lines.push("", summary(now, views, values.pin.length > 0));
  if (before.size === 0) lines.push(out.paint.dim("Nothing has run yet: `herd run` submits them"));
  out.print(lines.join("\n"));
}

function summary({ state }: Remembered, views: readonly TrialView[], filtered: boolean): string {
  const { total, ...totals } = totalsOf(views);
  const words = Object.entries(totals).map(([name, n]) => `${n} ${name}`).join(", ");
  const all = filtered ? ` of ${trialViews(state).length}` : "";
  return `${state.sweep ?? "sweep"}: ${count(total!, "trial")}${all}: ${words}`;
}
