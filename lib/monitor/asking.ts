import type { Config } from "../sweep/config.ts";
import { compactRanges } from "../base/text.ts";
import type { Message, MonitorHappening } from "../sweep/monitor-event.ts";
import { statusOf } from "../sweep/status.ts";
import { BYPASS, isCanonical, nextQuestion, parseAnswer } from "./interview.ts";
import { settledFacts } from "./interview-facts.ts";
import { emptyPlan, renderPlan } from "./monitor-plan.ts";
import { ask, keyed } from "./session.ts";
import type { Session } from "./session.ts";

/** A question that nobody answers is answered by its default after so long. */
const PATIENCE_MS = 10 * 60_000;

/** Opens the interview where there is no plan, asks the next question, and ends it with a plan. */
export async function interview(session: Session, config: Config): Promise<void> {
  const { ground } = session;
  const { monitor } = ground.state();
  if (monitor.question !== undefined) return await waitOrDefault(session);
  const boot = monitor.boot ?? "greenfield";
  if (boot === "post-mortem") return await askAfterwards(session, config);
  if (ground.readPlan() !== undefined) return;
  if (monitor.phase === undefined) {
    const why = "No plan was made before";
    await ground.record([
      { type: "phase-entered", phase: "interviewing", stage: 0, trials: [], why },
    ]);
  }
  const { answers } = ground.state().monitor;
  const prompt = ground.prompt();
  const metrics = [...ground.state().trials.keys()].slice(0, 20)
    .flatMap((trial) => [...ground.streams(trial).keys()]);
  const question = nextQuestion({
    boot,
    config,
    prompt: prompt?.text,
    answers,
    metrics: [...new Set(metrics)],
  });
  if (question === undefined) return await settle(session, config);
  if (!ground.canAsk) {
    await ground.record([{ type: "question-closed", id: question.id, answer: BYPASS }]);
    return await settle(session, config, "Nobody is there to answer questions");
  }
  await ground.record([
    { type: "question-asked", question },
    { type: "said", said: keyed(ground, { kind: "agent", text: question.text }) },
  ]);
}

async function askAfterwards(session: Session, config: Config): Promise<void> {
  const { ground } = session;
  const { monitor } = ground.state();
  if (monitor.phase !== "post-mortem") return;
  if (!ground.canAsk) return;
  const question = nextQuestion({ boot: "post-mortem", config, answers: monitor.answers });
  if (question === undefined) return;
  await ground.record([
    { type: "question-asked", question },
    { type: "said", said: keyed(ground, { kind: "agent", text: question.text }) },
  ]);
}

async function waitOrDefault(session: Session): Promise<void> {
  const { ground } = session;
  const { question, recent } = ground.state().monitor;
  const asked = recent.findLast(({ text }) => text === question?.text);
  // What it asks for is given up by nobody's silence: trials that ended stay ended.
  if (question === undefined || question.id === "rerun") return;
  const since = asked?.at ?? ground.state().monitor.phaseSince;
  if (ground.canAsk && ground.clock.now() - since < PATIENCE_MS) return;
  const text = "Nobody answered, so I go on with defaults. Edit the plan (/plan) to change them.";
  await ground.record([
    { type: "question-closed", id: question.id, answer: BYPASS },
    { type: "said", said: keyed(ground, { kind: "agent", text }) },
  ]);
}

/** Writes the plan: from here on it is the plan that counts, and people edit it. */
async function settle(session: Session, config: Config, because?: string): Promise<void> {
  const { ground } = session;
  const { answers } = ground.state().monitor;
  const { objective, remediation, source } = settledFacts({
    config,
    prompt: ground.prompt()?.text,
    answers,
  });
  ground.writePlan(renderPlan({
    ...emptyPlan(),
    phase: "live",
    metric: objective === "none" ? "none" : objective.metric,
    direction: objective === "none" ? undefined : objective.direction,
    source,
    remediation,
    scope: config.remediation.scope,
  }));
  const aim = objective === "none"
    ? "no metric"
    : `${objective.direction === "max" ? "maximize" : "minimize"} ${objective.metric}`;
  const text = `plan: ${aim}, on failures ${remediation}, metrics from ${source}.` +
    `${because === undefined ? "" : ` ${because}, so these are defaults.`}`;
  await ground.record([{ type: "said", said: keyed(ground, { kind: "agent", text }) }]);
}

/** Whether the message answered the open question, or was dealt with as an attempt to. */
export async function answerQuestion(
  session: Session,
  message: Message,
): Promise<boolean> {
  const { ground } = session;
  const { question } = ground.state().monitor;
  if (question === undefined) return false;
  const parsed = parseAnswer(question, message.text);
  if (parsed === undefined) return false;
  if ("answer" in parsed) {
    await close(session, message, question.id, parsed.answer);
    return true;
  }
  // The model may understand what rules do not; without one they ask again.
  const { thinking } = ground;
  const mayThink = !("none" in thinking.agent) && thinking.health.mayCall(true) &&
    thinking.budget(0).refusal === undefined && parsed.question === undefined;
  if (mayThink) return false;
  const asked: MonitorHappening[] = parsed.question === undefined
    ? []
    : [{ type: "question-asked", question: parsed.question }];
  await ground.record([
    ...asked,
    {
      type: "said",
      said: keyed(ground, {
        key: `reply/${message.id}`,
        kind: "agent",
        text: parsed.unclear,
        replyTo: message.id,
      }),
    },
    { type: "messages-handled", ids: [message.id], how: "rule" },
  ]);
  return true;
}

/** Keeps the answer, with the message that gave it, and goes on to the next question. */
export async function close(
  session: Session,
  message: Message,
  id: string,
  answer: string,
): Promise<void> {
  const { ground } = session;
  await ground.record([
    { type: "question-closed", id, answer },
    { type: "messages-handled", ids: [message.id], how: "rule" },
  ]);
  if (id === "rerun") await rerun(session, message, answer);
}

export function isAnswer(id: string, answer: string): boolean {
  return answer === BYPASS || isCanonical(id, answer);
}

async function rerun(session: Session, { from }: Message, answer: string): Promise<void> {
  const { ground } = session;
  const state = ground.state();
  if (answer === "none") {
    await ground.act({ verb: "leave", reason: "nothing is to be run again" }, from);
    return;
  }
  const all = [...state.trials.values()].filter(({ dropped }) => dropped !== true)
    .map(({ index }) => index);
  const indices = answer === "all"
    ? all
    : answer === "failed"
    ? all.filter((index) => statusOf(state, index) === "failed")
    : indicesOf(answer).filter((index) => all.includes(index));
  if (indices.length === 0) {
    const text = `There is no such trial to run again; there are ${compactRanges(all)}.`;
    await ground.record([{ type: "said", said: keyed(ground, { kind: "agent", text }) }]);
    return;
  }
  await ask(session, { verb: "run", indices, force: answer !== "failed", reason: "rerun" });
}

function indicesOf(spec: string): number[] {
  return spec.split(",").flatMap((part) => {
    const [first = NaN, last = first] = part.split("-").map(Number);
    return Array.from({ length: Math.max(0, last - first + 1) || 0 }, (_, i) => first + i);
  });
}
