import type { Outcome, Request } from "../actions/desk.ts";
import type { FailedTrial } from "../agent/situation-input.ts";
import { SchedulerError } from "../base/errors.ts";
import type { UserError } from "../base/errors.ts";
import type { Config } from "../sweep/config.ts";
import type { Concern, Said, SaidKind, Trigger } from "../sweep/monitor-event.ts";
import { silences } from "../sweep/silence.ts";
import type { Observation } from "../sweep/transition.ts";
import { trialViews } from "../sweep/view.ts";
import type { TrialView } from "../sweep/view.ts";
import type { Ground } from "./ground.ts";
import { MONITOR } from "./guard.ts";
import { inForce } from "./in-force.ts";
import type { InForce } from "./in-force.ts";
import { readPlan } from "./monitor-plan.ts";
import type { MonitorPlan } from "./monitor-plan.ts";

/** What the parts of one monitor share while it runs; whatever must outlive it is in the journal. */
export interface Session {
  ground: Ground;
  /** Since the last tick began: why one is due, and what was done, in sentences. */
  triggers: Set<Trigger>;
  done: string[];
  failed: FailedTrial[];
  completed: number[];
  /** What the model is to be asked about at the next tick, beside messages. */
  concerns: Map<Concern, string>;
  observations: readonly Observation[];
  lastChangeAt: number;
  lastActivityAt: number;
  unanswered: number;
  /** Earliest next try to submit, after one that came to nothing. */
  submitAt: number;
  /** A person said to go on whatever is stuck. */
  goOn: boolean;
  /** What was complained of, and when, so that it is said once. */
  complaints: Map<string, number>;
  config: Config | undefined;
  /** Text of the YAML that the trials were made of. */
  defined: string | undefined;
  /** When the model was last to be asked. */
  consultedAt: number;
  /** A person or the agent chose it; it holds for one tick. */
  wishedAt: number | undefined;
}

export function createSession(ground: Ground): Session {
  const now = ground.clock.now();
  return {
    ground,
    triggers: new Set(),
    done: [],
    failed: [],
    completed: [],
    concerns: new Map(),
    observations: [],
    lastChangeAt: now,
    lastActivityAt: now,
    unanswered: 0,
    submitAt: 0,
    goOn: false,
    complaints: new Map(),
    config: undefined,
    defined: undefined,
    consultedAt: -Infinity,
    wishedAt: undefined,
  };
}

/** The YAML as it is, or as it was last understood; what is wrong with it is said once. */
export async function configOf(session: Session): Promise<Config> {
  try {
    const { config, text } = session.ground.sweep();
    session.config = config;
    if (text !== session.defined) {
      const { text: changes } = await session.ground.define();
      if (session.defined !== undefined && changes !== undefined) {
        await complain(session, changes, "agent");
      }
      session.defined = text;
    }
    return config;
  } catch (error) {
    // Without any configuration there is nothing to go by.
    if (session.config === undefined || error instanceof SchedulerError) throw error;
    await complain(session, `${told(error)}. It goes on with what was there before`);
    return session.config;
  }
}

/** Of several mistakes in the YAML the first ones; `herd check` has all. */
function told(error: unknown): string {
  const { message } = error as Error;
  const { mistakes } = error as Partial<UserError>;
  if (mistakes === undefined || mistakes.length < 2) return message;
  const first = mistakes.slice(0, 3).map(({ line, message: one }) => `line ${line}: ${one}`);
  const more = mistakes.length > first.length ? ` and ${mistakes.length - first.length} more` : "";
  return `${message} (${first.join("; ")}${more})`;
}

export function viewsOf({ ground, observations }: Session): TrialView[] {
  const silent = silences(ground.state(), observations, ground.clock.now());
  return trialViews(ground.state(), { silent });
}

export function planOf({ ground }: Session): MonitorPlan | undefined {
  const text = ground.readPlan();
  return text === undefined ? undefined : readPlan(text).plan;
}

export function ruling(session: Session, config: Config): InForce {
  const { ground } = session;
  return inForce({
    config,
    prompt: ground.prompt()?.text,
    answers: ground.state().monitor.answers,
    plan: planOf(session),
  });
}

/** So long a complaint holds; then it may be made again. */
const COMPLAINT_MS = 6 * 3_600_000;

/** Says something once, however often it comes up. */
export async function complain(
  session: Session,
  text: string,
  kind: SaidKind = "warning",
  /** What it is the same as; durations in a text change. */
  key = text,
): Promise<void> {
  const now = session.ground.clock.now();
  const before = session.complaints.get(key);
  if (before !== undefined && now - before < COMPLAINT_MS) return;
  session.complaints.set(key, now);
  try {
    await say(session, { kind, text });
  } catch (error) {
    session.complaints.delete(key);
    throw error;
  }
}

/** Posts something; the key is made of its time where none is given. */
export async function say(
  { ground }: Session,
  said: Omit<Said, "key"> & { key?: string },
): Promise<void> {
  await ground.record([{ type: "said", said: keyed(ground, said) }]);
}

export function keyed(ground: Ground, said: Omit<Said, "key"> & { key?: string }): Said {
  const random = Math.floor(ground.random() * 36 ** 6).toString(36);
  return { key: `${said.kind}/${ground.clock.now()}/${random}`, ...said };
}

/** After a submission that came to nothing: longer each time would hide a cluster that is back. */
const SUBMIT_AGAIN_MS = 30_000;

/** Has something done by the rules; what is refused or fails is said once and never thrown. */
export async function ask(session: Session, request: Request): Promise<Outcome | undefined> {
  const { ground } = session;
  try {
    const outcome = await ground.act(request, MONITOR);
    const left = outcome.done ? outcome.data["left"] : undefined;
    const short = Array.isArray(left) && left.length > 0;
    if (!outcome.done) await complain(session, refusalText(outcome));
    if (request.verb === "run" && (!outcome.done || short)) holdBack(session);
    session.lastChangeAt = ground.clock.now();
    return outcome;
  } catch (error) {
    ground.log("warn", "An action of the monitor failed", { request, error: `${error}` });
    if (request.verb === "run") holdBack(session);
    const again = request.verb === "run" ? "; it is tried again" : "";
    await complain(session, `${(error as Error).message}${again}`);
    return undefined;
  }
}

function holdBack(session: Session): void {
  session.submitAt = session.ground.clock.now() + SUBMIT_AGAIN_MS;
}

function refusalText({ reason, hint }: { reason: string; hint?: string }): string {
  return hint === undefined ? reason : `${reason}. ${hint}`;
}
