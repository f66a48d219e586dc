import type { Purpose, SituationInput } from "../agent/situation-input.ts";
import type { Thought } from "../agent/agent.ts";
import type { Config } from "../sweep/config.ts";
import { addTokens, budgetKey, dayOf, noTokens } from "../sweep/monitor-state.ts";
import type {
  Message,
  ModelUse,
  MonitorHappening,
  Tokens,
  Trigger,
} from "../sweep/monitor-event.ts";
import { totalsOf } from "../sweep/view.ts";
import type { TrialView } from "../sweep/view.ts";
import { budgetText } from "../words/budget-text.ts";
import { isAnswer } from "./asking.ts";
import { modelQuestion, parseModelAnswer } from "./interview-model.ts";
import { complain, keyed } from "./session.ts";
import type { Session } from "./session.ts";

/** What a turn of the agent came to. */
export interface Consultation {
  /** False: it came to nothing, and is due again when the model is back. */
  heard: boolean;
  /** What it said, for the tick's summary; undefined when it said nothing. */
  words: string | undefined;
  calls: number;
  tokens: Tokens;
  usd: number | null;
  /** To be written with the tick's summary, in one append: what was answered. */
  happenings: readonly MonitorHappening[];
}

export interface Matter {
  purpose: Purpose;
  triggers: readonly Trigger[];
  done: readonly string[];
  views: readonly TrialView[];
  config: Config;
  detail: string | undefined;
}

/** Why the model is asked now; undefined: nothing needs judgement, or nobody may be asked. */
export function purposeOf(session: Session, config: Config): Purpose | undefined {
  const { ground, concerns } = session;
  const { monitor } = ground.state();
  if ("none" in ground.thinking.agent) return undefined;
  if (monitor.pending.length > 0) return monitor.question === undefined ? "message" : "interview";
  if (concerns.has("failure")) return "failure";
  if (concerns.has("plateau")) return "plateau";
  if (concerns.has("report")) return "report";
  return config.agent.ticks === "every" ? "tick" : undefined;
}

/** Asks the agent. Whatever comes of it, the rules go on; what it cost is written after each call. */
export async function consult(
  session: Session,
  matter: Matter,
  signal: AbortSignal,
): Promise<Consultation | undefined> {
  const { ground } = session;
  const { thinking } = ground;
  const { agent } = thinking;
  if ("none" in agent) return undefined;
  const people = matter.purpose === "message" || matter.purpose === "interview";
  const urgent = isUrgent(session);
  session.consultedAt = ground.clock.now();
  const budget = thinking.budget(0);
  if (budget.refusal !== undefined) return await refused(session, budget, people);
  if (!thinking.health.mayCall(urgent)) return undefined;
  const spent = { calls: 0, tokens: noTokens(), usd: 0 as number | null };
  const pending = thinking.messagesThatFit(ground.state().monitor.pending);
  const mark = thinking.newMark();
  const question = ground.state().monitor.question;
  const asks = matter.purpose === "interview" && question !== undefined;
  ground.notice({ key: "typing", kind: "typing", text: agent.model });
  const thought = await agent.think({
    purpose: matter.purpose,
    system: thinking.system(),
    prompt: asks
      ? modelQuestion(question, pending[0]?.text ?? "")
      : thinking.situation(situationOf(session, matter, { mark, pending })),
    tools: asks ? [] : await thinking.tools(mark),
    budgetUsd: budget.usd,
    signal,
    onUse: (use) => account(session, spent, use),
    onText(text) {
      ground.notice({ key: "stream", kind: "stream", text });
    },
    onTool({ name, input, result, isError, ms }) {
      const fields = { by: "agent", tool: name, input, result, is_error: isError, duration_ms: ms };
      ground.audit("tool", fields);
    },
  });
  ground.notice({ key: "typing", kind: "typing", text: "" });
  await tellHealth(session, thought);
  await tellBudget(session, thought);
  return asks
    ? interviewed(session, thought, pending[0], spent)
    : concluded(session, thought, pending, spent);
}

/** A message that the model has not been asked about: whoever sent it waits. Later tries keep to the back-off. */
export function isUrgent({ ground, consultedAt }: Session): boolean {
  return ground.state().monitor.pending.some(({ at }) => at > consultedAt);
}

async function account(
  { ground }: Session,
  spent: { calls: number; tokens: Tokens; usd: number | null },
  use: ModelUse,
): Promise<void> {
  spent.calls++;
  spent.tokens = addTokens(spent.tokens, use.tokens);
  spent.usd = spent.usd === null || use.usd === null ? null : spent.usd + use.usd;
  await ground.record([{ type: "model-used", use }], "agent");
}

function situationOf(
  { ground, failed, completed }: Session,
  matter: Matter,
  { mark, pending }: { mark: string; pending: readonly (Message & { at: number })[] },
): SituationInput {
  const state = ground.state();
  const { monitor } = state;
  const prompt = ground.prompt();
  const { sweep, day } = {
    sweep: matter.config.agent.budget.sweep,
    day: matter.config.agent.budget.day,
  };
  const left = (limit: number | undefined, used: number) =>
    limit === undefined ? undefined : Math.max(0, limit - used);
  const lastAt = monitor.lastTick === undefined
    ? 0
    : monitor.lastTick.startedAt + monitor.lastTick.durationMs;
  // What the agent did after the last tick that ended was done in a turn that did not.
  const actions = ground.actionsBy("agent", lastAt);
  return {
    purpose: matter.purpose,
    triggers: matter.triggers,
    now: ground.clock.now(),
    mark,
    sweep: matter.config.name,
    totals: totalsOf(matter.views),
    boot: monitor.boot,
    phase: monitor.phase,
    stage: monitor.stage,
    halted: monitor.halted?.why,
    plan: ground.readPlan(),
    failed,
    completed,
    done: matter.done,
    budgetLeft: {
      tick: matter.config.agent.budget.tick,
      day: left(day, monitor.spentOn[dayOf(ground.clock.now())] ?? 0),
      sweep: left(sweep, monitor.spent.usd),
    },
    pending,
    talk: monitor.talk,
    prompt: prompt === undefined ? undefined : {
      ...prompt,
      state: monitor.promptSeen === undefined
        ? "new"
        : monitor.promptSeen === prompt.sha256
        ? "unchanged"
        : "changed",
    },
    confirmations: monitor.confirmations,
    question: monitor.question,
    interrupted: actions.length === 0 ? undefined : { at: lastAt, actions },
    ...(matter.detail === undefined ? {} : { detail: matter.detail }),
  };
}

async function tellHealth({ ground }: Session, thought: Thought): Promise<void> {
  const { health } = ground.thinking;
  if (thought.kind === "aborted") return;
  const change = thought.kind === "failed" ? health.failed(thought.failure) : health.worked();
  if (!change.announce) return;
  const ok = thought.kind !== "failed";
  await ground.record([
    { type: "model-health", ok, detail: change.text },
    {
      type: "said",
      said: keyed(ground, { kind: ok ? "agent" : "warning", text: change.text }),
    },
  ]);
}

async function tellBudget(session: Session, thought: Thought): Promise<void> {
  if (thought.kind !== "out-of-budget") return;
  const { reached } = session.ground.thinking.budget(0);
  if (reached !== undefined) return await noteBudget(session, reached);
  await complain(
    session,
    "what is left of the agent's budget (agent.budget) is too little for another question to the " +
      "model; the rules go on without it",
  );
}

/** Told once per day and sweep, and once more when the budget was raised and is used up again. */
async function noteBudget(
  { ground }: Pick<Session, "ground">,
  { scope, limit, spent }: { scope: "tick" | "day" | "sweep"; limit: number; spent: number },
): Promise<void> {
  const day = dayOf(ground.clock.now());
  if (ground.state().monitor.budgetTold.includes(budgetKey(scope, day))) return;
  await ground.record([
    { type: "budget-reached", scope, day, usd: spent, limit },
    {
      type: "said",
      said: keyed(ground, { kind: "warning", text: budgetText({ scope, usd: spent, limit }) }),
    },
  ]);
}

async function refused(
  session: Session,
  budget: ReturnType<Session["ground"]["thinking"]["budget"]>,
  people: boolean,
): Promise<Consultation | undefined> {
  const { ground } = session;
  if (budget.reached !== undefined) await noteBudget(session, budget.reached);
  if (!people) {
    // A model without a price is refused from the beginning on, and nobody has reached anything.
    if (budget.reached === undefined) {
      await complain(session, `${budget.refusal}. The rules go on without the agent`);
    }
    return undefined;
  }
  // A person must not wait for an answer that will not come.
  const text = `${budget.refusal}. Only what the rules understand is answered: /help lists it.`;
  const { pending } = ground.state().monitor;
  return {
    heard: true,
    words: undefined,
    calls: 0,
    tokens: noTokens(),
    usd: 0,
    happenings: answered(session, pending, text, "rule"),
  };
}

function answered(
  { ground }: Session,
  pending: readonly Message[],
  text: string,
  how: "agent" | "rule",
): MonitorHappening[] {
  if (pending.length === 0) return [];
  const ids = pending.map(({ id }) => id);
  const last = ids.at(-1)!;
  return [
    {
      type: "said",
      said: keyed(ground, { key: `reply/${last}`, kind: "agent", text, replyTo: last }),
    },
    { type: "messages-handled", ids, how },
  ];
}

function concluded(
  session: Session,
  thought: Thought,
  pending: readonly Message[],
  spent: Omit<Consultation, "heard" | "words" | "happenings">,
): Consultation {
  const words = thought.text.trim();
  if (thought.kind === "failed" || thought.kind === "aborted") {
    // Messages wait for the model to come back; a turn that failed answers nothing.
    return { ...spent, heard: false, words: undefined, happenings: [] };
  }
  const text = words === "" ? EMPTY[thought.kind] : words;
  const asked = pending.length > 0;
  if (!asked && words === "") return { ...spent, heard: true, words: undefined, happenings: [] };
  return asked
    ? {
      ...spent,
      heard: true,
      words: undefined,
      happenings: answered(session, pending, text, "agent"),
    }
    : { ...spent, heard: true, words: text, happenings: [] };
}

const EMPTY: Readonly<Record<"answered" | "out-of-turns" | "out-of-budget" | "refused", string>> = {
  answered: "Done.",
  "out-of-turns":
    "I stopped after too many steps without an answer. Say it more precisely, or use /help.",
  "out-of-budget": "I stopped: the budget is used up. The rules go on.",
  refused: "The model declined to answer that.",
};

/** The model read an answer for the rules: only the forms that they know are taken. */
function interviewed(
  session: Session,
  thought: Thought,
  message: Message | undefined,
  spent: Omit<Consultation, "heard" | "words" | "happenings">,
): Consultation {
  const { question } = session.ground.state().monitor;
  if (
    thought.kind === "failed" || thought.kind === "aborted" || message === undefined ||
    question === undefined
  ) {
    return { ...spent, heard: false, words: undefined, happenings: [] };
  }
  const parsed = parseModelAnswer(question, thought.text) ?? plainReply(session, thought.text);
  if (parsed !== undefined && "answer" in parsed && isAnswer(question.id, parsed.answer)) {
    const happenings: MonitorHappening[] = [
      { type: "question-closed", id: question.id, answer: parsed.answer },
      { type: "messages-handled", ids: [message.id], how: "agent" },
    ];
    return { ...spent, heard: true, words: undefined, happenings };
  }
  const again = parsed !== undefined && "unclear" in parsed
    ? parsed.unclear
    : `I did not understand that. ${question.text}`;
  const happenings = answered(session, [message], again, "agent");
  return { ...spent, heard: true, words: undefined, happenings };
}

/** Models that were told of the playbook's form use it here too. */
function plainReply(
  { ground }: Session,
  text: string,
): { answer: string } | { unclear: string } | undefined {
  const read = ground.thinking.readReply(text);
  if (read === undefined) return undefined;
  return "answer" in read ? read : { unclear: read.ask };
}
