import { UserError } from "../lib/base/errors.ts";
import { compactRanges, count } from "../lib/base/text.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import type { SweepFile } from "../lib/daemon/sweep-file.ts";
import { parsePins } from "../lib/sweep/pin.ts";
import type { Pin } from "../lib/sweep/pin.ts";
import type { RunPlan } from "../lib/sweep/run-plan.ts";
import type { SweepState } from "../lib/sweep/state.ts";
import { sweepNow } from "../lib/sweep/sweep-now.ts";
import type { Context } from "./command.ts";
import { say, sayNotice } from "./open.ts";

/** A sweep as far as journal and YAML tell of it. */
export interface Remembered {
  /** As a run would first make it; as it is when the YAML cannot be read. */
  state: SweepState;
  /** Undefined when the YAML cannot be read, which only matters before the first run. */
  sweep: SweepFile | undefined;
  plan: RunPlan | undefined;
  /** Why the YAML cannot be read. */
  trouble: UserError | undefined;
}

/** Reads journal and YAML and asks no scheduler. Throws when there is neither. */
export function remember(outside: Outside, at: number): Remembered {
  const state = outside.state();
  let sweep: SweepFile;
  try {
    sweep = outside.sweep();
  } catch (error) {
    if (!(error instanceof UserError) || state.trials.size === 0) throw error;
    return { state, sweep: undefined, plan: undefined, trouble: error };
  }
  return { sweep, trouble: undefined, ...sweepNow(state, sweep, at) };
}

/** Says what is known of the YAML beyond its trials: notices, edits, and why it could not be read. */
export function sayNotices(out: Context["out"], { sweep, plan, trouble }: Remembered): void {
  for (const notice of sweep?.notices ?? []) sayNotice(out, notice);
  if (trouble !== undefined) {
    say(out, `Shown is the sweep as it last ran, for the YAML is broken now. ${trouble.message}`);
  }
  for (const change of plan?.changes ?? []) say(out, change);
  const { refused = [], drift = [] } = plan?.reconciliation ?? {};
  if (refused.length > 0) {
    const which = compactRanges(refused.map(({ index }) => index));
    say(
      out,
      `\`herd run\` refuses to let go of ${
        count(refused.length, "live or completed trial")
      } (${which}) unless it is told --force`,
    );
  }
  if (drift.length > 0) {
    const which = compactRanges(drift.map(({ index }) => index));
    const what = [...new Set(drift.flatMap((one) => one.what))].slice(0, 4).join("; ");
    say(
      out,
      `\`herd run\` will ask what to do with ${
        count(drift.length, "trial")
      } (${which}) that would run differently today: ${what}`,
    );
  }
}

/** Reads `--pin` against the sweep's parameters. */
export function readPins(texts: readonly string[], { state }: Pick<Remembered, "state">): Pin[] {
  if (texts.length === 0) return [];
  const fixed = (state.definition?.staticOverrides ?? []).map((token) => token.split("=")[0]!);
  return parsePins(texts, parameterNames(state), fixed);
}

/** Parameters in the order of the YAML, then others that trials of the sweep have. */
export function parameterNames(state: SweepState): string[] {
  const names = new Set<string>(state.definition?.parameters ?? []);
  for (const { params, dropped } of state.trials.values()) {
    if (dropped === true) continue;
    for (const name of Object.keys(params)) names.add(name);
  }
  return [...names];
}
