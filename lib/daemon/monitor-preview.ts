import { dayOf } from "../sweep/monitor-state.ts";
import { classifyBoot } from "../monitor/boot.ts";
import type { Ground } from "../monitor/ground.ts";
import type { InForce } from "../monitor/in-force.ts";
import { nextStage } from "../monitor/rollout.ts";
import { nextQuestion } from "../monitor/interview.ts";
import { totalsOf, trialViews } from "../sweep/view.ts";
import { phaseText } from "../words/phase-text.ts";

export interface MonitorPreview {
  /** What the rules would do next, a sentence each. */
  decisions: readonly string[];
  /** What the agent would be told at its next turn. */
  prompt: string;
  system: string;
}

/** What a monitor that started now would do first; changes nothing. */
export function previewMonitor(ground: Ground, rules: InForce): MonitorPreview {
  const state = ground.state();
  const { config } = ground.sweep();
  const views = trialViews(state);
  const boot = classifyBoot(state, views.length);
  const { monitor } = state;
  const decisions: string[] = [];
  const prompt = ground.prompt();
  const question = ground.readPlan() === undefined
    ? nextQuestion({ boot, config, prompt: prompt?.text, answers: monitor.answers })
    : undefined;
  if (question !== undefined) decisions.push(`ask: ${question.text.split("\n")[0]}`);
  const step = nextStage({
    views,
    monitor,
    settings: config.monitor,
    boot: monitor.boot ?? boot,
    evidence: new Set(),
    now: ground.clock.now(),
  });
  if ("enter" in step) decisions.push(phaseText(step.enter));
  else if ("submit" in step) decisions.push(`submit trials ${step.submit.trials.join(", ")}`);
  else if ("stuck" in step) decisions.push(`wait for a word: ${step.stuck.why}`);
  else decisions.push(`wait ${step.wait}`);
  decisions.push(`on failures: ${rules.mode}`);
  const { thinking } = ground;
  return {
    decisions,
    system: thinking.system(),
    prompt: thinking.situation({
      purpose: "tick",
      triggers: ["boot"],
      now: ground.clock.now(),
      mark: thinking.newMark(),
      sweep: config.name,
      totals: totalsOf(views),
      boot,
      phase: monitor.phase,
      stage: monitor.stage,
      halted: monitor.halted?.why,
      plan: ground.readPlan(),
      failed: [],
      completed: [],
      done: [],
      budgetLeft: {
        tick: config.agent.budget.tick,
        day: left(config.agent.budget.day, monitor.spentOn[dayOf(ground.clock.now())] ?? 0),
        sweep: left(config.agent.budget.sweep, monitor.spent.usd),
      },
      pending: thinking.messagesThatFit(monitor.pending),
      talk: monitor.talk,
      prompt: prompt === undefined ? undefined : { ...prompt, state: "new" },
      confirmations: monitor.confirmations,
      question: monitor.question,
      interrupted: undefined,
    }),
  };
}

function left(limit: number | undefined, spent: number): number | undefined {
  return limit === undefined ? undefined : Math.max(0, limit - spent);
}
