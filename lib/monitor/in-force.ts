import type { Config, Grant, MetricSource, Objective } from "../sweep/config.ts";
import { settledFacts } from "./interview-facts.ts";
import type { MonitorPlan } from "./monitor-plan.ts";

/** What the monitor goes by: the plan before answers, PROMPT.md and the YAML, defaults last. */
export interface InForce {
  objective: Objective;
  source: MetricSource;
  mode: "remediate" | "notify";
  scope: "sweep" | "trial";
  grants: readonly Grant[];
  activeSeconds: number;
  steadySeconds: number;
  customRules: string;
}

export function inForce(
  sources: {
    config: Config;
    prompt: string | undefined;
    answers: Readonly<Record<string, string>>;
    plan: MonitorPlan | undefined;
  },
): InForce {
  const { config, plan } = sources;
  const facts = settledFacts(sources);
  const { activeSeconds, steadySeconds } = plan?.cadence ?? config.monitor;
  return {
    objective: plan === undefined ? facts.objective : objectiveOf(plan) ?? facts.objective,
    source: plan?.source ?? facts.source,
    mode: plan?.remediation ?? facts.remediation,
    scope: plan?.scope ?? config.remediation.scope,
    grants: [...new Set([...config.agent.grants, ...plan?.grants ?? []])],
    activeSeconds,
    steadySeconds,
    customRules: plan?.customRules ?? "",
  };
}

/** A metric without a direction says nothing that can be compared. */
function objectiveOf({ metric, direction }: MonitorPlan): Objective | undefined {
  if (metric === "none") return "none";
  return metric === undefined || direction === undefined ? undefined : { metric, direction };
}
