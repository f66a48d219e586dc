import type { Outcome, Request } from "../actions/desk.ts";
import { attemptKey } from "../sweep/event.ts";
import type { Config } from "../sweep/config.ts";
import type { Message, MonitorHappening } from "../sweep/monitor-event.ts";
import { latestAttempt } from "../sweep/state.ts";
import { statusOf } from "../sweep/status.ts";
import { totalsOf } from "../sweep/view.ts";
import type { TrialView } from "../sweep/view.ts";
import { tickSummary } from "../words/tick-text.ts";
import { answerQuestion } from "./asking.ts";
import { applyPlanChange } from "./plan-change.ts";
import { helpForUnclear, plainWords } from "./plain-words.ts";
import type { PlainWords } from "./plain-words.ts";
import { keyed } from "./session.ts";
import type { Session } from "./session.ts";

/**
 * Answers the messages that rules understand, each in one write with its answer,
 * so that none is answered twice. The others stay for the agent; without one
 * they are told what can be said.
 */
export async function hear(
  session: Session,
  config: Config,
  views: readonly TrialView[],
): Promise<void> {
  const { ground } = session;
  for (const message of ground.state().monitor.pending) {
    session.lastActivityAt = ground.clock.now();
    if (await answerQuestion(session, message)) {
      session.triggers.add("message");
      continue;
    }
    if (message.text.trim().startsWith("/")) {
      const { text, code } = await ground.slash(message.text.trim(), message.from, message.id);
      await reply(session, message, text, "command", [], code);
      continue;
    }
    // What is answered at once needs no summary behind it.
    const words = plainWords(message.text, { bumpPercent: config.remediation.bumpPercent });
    if (words !== undefined) {
      await reply(session, message, await carryOut(session, message, words, views), "rule");
      continue;
    }
    // One that waits for a model which does not answer is no news at each step.
    if (message.at > session.consultedAt) session.triggers.add("message");
    if ("none" in ground.thinking.agent) {
      await reply(session, message, helpForUnclear(), "rule");
    }
  }
}

/** The answer and that it was answered, in one write. */
export async function reply(
  { ground }: Session,
  { id }: Message,
  text: string,
  how: "rule" | "command" | "agent",
  more: readonly MonitorHappening[] = [],
  code = false,
): Promise<void> {
  const said = { key: `reply/${id}`, kind: "agent" as const, text, replyTo: id };
  await ground.record([
    ...more,
    { type: "said", said: keyed(ground, code ? { ...said, code } : said) },
    { type: "messages-handled", ids: [id], how },
  ]);
}

async function carryOut(
  session: Session,
  { id, from, name }: Message,
  words: PlainWords,
  views: readonly TrialView[],
): Promise<string> {
  const { ground } = session;
  if ("unclear" in words) return words.unclear;
  if ("request" in words) {
    return outcomeText(await act(session, oncePer(id, words.request), from));
  }
  switch (words.intent) {
    case "status":
      return statusText(session, views);
    case "pause":
      return outcomeText(
        await act(session, { verb: "leave", reason: `${name || from} said so` }, from),
      );
    case "retry-failed":
      return await retryFailed(session, from);
    case "metric":
      return setMetric(session, words);
    case "yes":
    case "no": {
      const open = ground.state().monitor.confirmations;
      const found = words.which === undefined
        ? open.length === 1 ? open[0] : undefined
        : open.find(({ id }) => id === words.which);
      if (found === undefined) {
        return open.length === 0
          ? "Nothing waits for a yes or a no."
          : `Which one? ${
            open.map(({ id, what }) => `"${words.intent} ${id}": ${what}`).join("; ")
          }`;
      }
      const yes = words.intent === "yes";
      return outcomeText(await act(session, { verb: "confirm", id: found.id, yes }, from));
    }
  }
}

/** A message that a crash left unanswered is heard again; only a bump would be more for it. */
export function oncePer(messageId: string, request: Request): Request {
  return request.verb === "bump" ? { ...request, id: `message/${messageId}` } : request;
}

async function act(
  { ground }: Session,
  request: Parameters<Session["ground"]["act"]>[0],
  by: string,
): Promise<Outcome> {
  try {
    return await ground.act(request, by, { words: true });
  } catch (error) {
    const hint = (error as { hint?: string }).hint;
    const { message } = error as Error;
    return { done: false, reason: message, facts: {}, ...(hint === undefined ? {} : { hint }) };
  }
}

export function outcomeText(outcome: Outcome): string {
  if (outcome.done) return [outcome.text, ...outcome.warnings].join(" ");
  return outcome.hint === undefined ? outcome.reason : `${outcome.reason}. ${outcome.hint}`;
}

function statusText({ ground }: Session, views: readonly TrialView[]): string {
  const { nextTickAt } = ground.state().monitor;
  const nextInMs = Math.max(0, (nextTickAt ?? 0) - ground.clock.now());
  return tickSummary({ quiet: true, actions: [], totals: totalsOf(views), nextInMs });
}

/** Failures are a person's to run again whatever was judged of them. */
async function retryFailed(session: Session, from: string): Promise<string> {
  const state = session.ground.state();
  const failed = [...state.trials.keys()].filter((index) => statusOf(state, index) === "failed");
  if (failed.length === 0) return "No trial has failed.";
  const attempts = failed.map((index) => latestAttempt(state, index));
  const known = attempts.every((one) =>
    one === undefined || attemptKey(one.submission, one.task) in state.monitor.verdicts
  );
  const outcome = await act(session, { verb: "run", indices: failed }, from);
  return known ? outcomeText(outcome) : `${outcomeText(outcome)} Their causes were not judged yet.`;
}

function setMetric(
  { ground }: Session,
  { metric, direction }: Extract<PlainWords, { intent: "metric" }>,
): string {
  const text = ground.readPlan();
  if (text === undefined) return "There is no plan yet: answer the open question first.";
  if (metric !== "none" && direction === undefined) {
    return `Is a higher or a lower ${metric} better? Say "maximize ${metric}" or "minimize ${metric}".`;
  }
  ground.writePlan(applyPlanChange(text, { metric, direction }));
  return metric === "none"
    ? "No metric is watched from now on."
    : `From now on ${metric} is watched, and ${
      direction === "max" ? "higher" : "lower"
    } is better.`;
}
