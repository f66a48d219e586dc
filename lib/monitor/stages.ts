import { classifyBoot } from "./boot.ts";
import type { Config } from "../sweep/config.ts";
import type { TrialView } from "../sweep/view.ts";
import { phaseText } from "../words/phase-text.ts";
import { givesEvidence } from "./evidence.ts";
import { finalReport, finalReportText } from "./final-report.ts";
import type { InForce } from "./in-force.ts";
import { nextStage } from "./rollout.ts";
import type { RolloutStep } from "./rollout.ts";
import { ask, complain, keyed } from "./session.ts";
import type { Session } from "./session.ts";
import { setupWarnings } from "./stage-standing.ts";

/** Takes the sweep as far through its stages as it may go now. */
export async function advance(
  session: Session,
  config: Config,
  rules: InForce,
  views: readonly TrialView[],
): Promise<void> {
  const { ground } = session;
  const state = ground.state();
  const now = ground.clock.now();
  const evidence = evidenceOf(session, views);
  await warnOfSetup(session, config, views, evidence);
  const step = nextStage({
    views,
    monitor: state.monitor,
    settings: config.monitor,
    boot: state.monitor.boot ?? classifyBoot(state, views.length),
    evidence,
    now,
    goOn: session.goOn,
  });
  if ("wait" in step) return;
  if ("stuck" in step) {
    return await complain(
      session,
      `waiting for a word: ${step.stuck.why}. You can say ${step.stuck.can}`,
      "warning",
      `stuck/${state.monitor.stage}/${step.stuck.trials.join()}`,
    );
  }
  if ("submit" in step) {
    if (now < session.submitAt) return;
    await ask(session, { verb: "run", indices: step.submit.trials, reason: step.submit.why });
    return;
  }
  await enter(session, config, rules, step.enter, views);
}

/** Of trials beyond the stages nobody asks. */
function evidenceOf({ ground }: Session, views: readonly TrialView[]): Set<number> {
  const { monitor } = ground.state();
  const evidence = new Set<number>();
  if (monitor.phase !== "canary" && monitor.phase !== "stage") return evidence;
  const trials = new Set(monitor.stages[monitor.stage] ?? []);
  for (const { trial: { index }, status, attempt } of views) {
    if (!trials.has(index)) continue;
    const times = [...ground.streams(index).values()].map((points) => points.at(-1)?.at ?? 0);
    const logs = (["stdout", "stderr"] as const).map((stream) => ground.logTail(index, stream));
    const metricAt = times.length === 0 ? undefined : Math.max(...times);
    if (givesEvidence({ status, attempt, metricAt, logs })) evidence.add(index);
  }
  return evidence;
}

async function warnOfSetup(
  session: Session,
  config: Config,
  views: readonly TrialView[],
  evidence: ReadonlySet<number>,
): Promise<void> {
  const { ground } = session;
  const { monitor } = ground.state();
  if (monitor.phase !== "canary" && monitor.phase !== "stage") return;
  const staged = new Set(monitor.stages[monitor.stage] ?? []);
  const warnings = setupWarnings({
    views: views.filter(({ trial }) => staged.has(trial.index)),
    monitor,
    settings: config.monitor,
    evidence,
    now: ground.clock.now(),
  });
  for (const { trial, about, detail } of warnings) {
    await ground.record([
      { type: "warned", trial, about, detail },
      { type: "said", said: keyed(ground, { kind: "warning", text: detail }) },
    ]);
  }
}

async function enter(
  session: Session,
  config: Config,
  rules: InForce,
  entered: Extract<RolloutStep, { enter: unknown }>["enter"],
  views: readonly TrialView[],
): Promise<void> {
  const { ground } = session;
  const isOver = entered.phase === "done" || entered.phase === "post-mortem";
  const said = isOver ? reportOf(session, rules, views) : phaseText(entered);
  await ground.record([
    { type: "phase-entered", ...entered },
    { type: "said", said: keyed(ground, { kind: "agent", text: said }) },
  ]);
  session.goOn = false;
  session.lastActivityAt = ground.clock.now();
  if (entered.phase === "done") {
    session.triggers.add("completion");
    session.concerns.set("report", said);
  }
  if (entered.trials.length > 0) {
    await ask(session, { verb: "run", indices: entered.trials, reason: entered.why });
  }
  ground.log("info", `Entered ${entered.phase}`, { sweep: config.name, trials: entered.trials });
}

/** A sweep that had come to its end is opened again: what came of it is told, and what next is asked. */
export async function lookBack(
  session: Session,
  rules: InForce,
  views: readonly TrialView[],
): Promise<void> {
  const { ground } = session;
  const { stage } = ground.state().monitor;
  const why = "Every trial had ended before the monitor started";
  const text = reportOf(session, rules, views);
  await ground.record([
    { type: "phase-entered", phase: "post-mortem", stage, trials: [], why },
    { type: "said", said: keyed(ground, { kind: "agent", text }) },
  ]);
}

function reportOf(
  { ground }: Session,
  { objective }: InForce,
  views: readonly TrialView[],
): string {
  const values = new Map<number, number | null>();
  if (objective !== "none") {
    for (const { trial: { index } } of views) {
      const value = ground.valueOf(index, objective);
      if (value !== undefined) values.set(index, value);
    }
  }
  const monitor = ground.state().monitor;
  const report = finalReport({ views, objective, values, monitor, now: ground.clock.now() });
  return finalReportText(report, objective);
}
