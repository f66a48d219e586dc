import type { Config } from "../sweep/config.ts";
import type { Point } from "../sweep/metrics.ts";
import type { TrialView } from "../sweep/view.ts";
import { allowanceOf } from "./guard.ts";
import type { InForce } from "./in-force.ts";
import { ask, complain, keyed } from "./session.ts";
import type { Session } from "./session.ts";
import { sickTrials } from "./sickness.ts";
import { suspicions } from "./suspicion.ts";

/** Ends live trials that are lost, within the share that may be ended, and warns of others once. */
export async function watchOver(
  session: Session,
  config: Config,
  rules: InForce,
  views: readonly TrialView[],
): Promise<void> {
  const { ground } = session;
  if (!views.some(({ status }) => status === "running")) return;
  const streams = { objective: rules.objective, streamsOf: remembering(session) };
  const sick = sickTrials(views, streams);
  const allowance = allowanceOf(ground.state(), config.monitor.pruneShare);
  for (const { trial, metric, step } of sick.slice(0, allowance)) {
    const reason = `${metric} is no finite number since step ${step}`;
    const outcome = await ask(session, { verb: "prune", indices: [trial], reason });
    if (outcome?.done) {
      session.triggers.add("failure");
      session.done.push(`pruned trial ${trial}: ${reason}.`);
    }
  }
  for (const { trial, metric } of sick.slice(allowance)) {
    await complain(
      session,
      `trial ${trial}: ${metric} is no finite number; it is not pruned, as the share of trials ` +
        "that I may prune (monitor.prune_share) is used up",
    );
  }
  const { warned } = ground.state().monitor;
  const now = ground.clock.now();
  for (const { trial, about, detail } of suspicions({ ...streams, views, now, warned })) {
    await ground.record([
      { type: "warned", trial, about, detail },
      { type: "said", said: keyed(ground, { kind: "warning", text: `trial ${trial}: ${detail}` }) },
    ]);
  }
}

/** Both kinds of watching read the same files. */
function remembering(
  { ground }: Session,
): (trial: number) => ReadonlyMap<string, readonly Point[]> {
  const read = new Map<number, ReadonlyMap<string, readonly Point[]>>();
  return (trial) => {
    const known = read.get(trial) ?? ground.streams(trial);
    read.set(trial, known);
    return known;
  };
}
