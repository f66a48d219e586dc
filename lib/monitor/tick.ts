import type { Purpose } from "../agent/situation-input.ts";
import type { Config } from "../sweep/config.ts";
import type { Tick, Trigger } from "../sweep/monitor-event.ts";
import { noTokens } from "../sweep/monitor-state.ts";
import { totalsOf } from "../sweep/view.ts";
import type { TrialView } from "../sweep/view.ts";
import { tickSummary } from "../words/tick-text.ts";
import { nextTickDelay } from "./cadence.ts";
import { consult, purposeOf } from "./consult.ts";
import type { InForce } from "./in-force.ts";
import { keyed } from "./session.ts";
import type { Session } from "./session.ts";

/**
 * One tick: the agent is asked where judgement is needed, and one summary tells
 * what was done since the last and when the next is due.
 */
export async function takeTick(
  session: Session,
  config: Config,
  rules: InForce,
  views: readonly TrialView[],
  signal: AbortSignal,
): Promise<void> {
  const { ground } = session;
  const startedAt = ground.clock.now();
  const taken = takeUp(session);
  const purpose = purposeOf(session, config);
  const { concerns } = session;
  const told = { failed: [...session.failed], completed: [...session.completed] };
  const detail = purpose === "failure" || purpose === "plateau" || purpose === "report"
    ? concerns.get(purpose)
    : undefined;
  const matter = { ...taken, views, config, detail };
  const consultation = purpose === undefined
    ? undefined
    : await consult(session, { purpose, ...matter }, signal);
  if (signal.aborted && consultation?.happenings.length === 0) return putBack(session, taken);
  const nextAt = nextTickAt(session, rules);
  const now = ground.clock.now();
  const summary = tickSummary({
    quiet: taken.done.length === 0 && consultation === undefined,
    actions: taken.done,
    totals: totalsOf(views),
    nextInMs: nextAt - now,
    halted: ground.state().monitor.halted !== undefined,
    ...(consultation?.words === undefined ? {} : { words: consultation.words }),
  });
  const number = ground.state().monitor.ticks + 1;
  const tick: Tick = {
    number,
    triggers: taken.triggers,
    summary,
    nextAt,
    startedAt,
    durationMs: now - startedAt,
    modelCalls: consultation?.calls ?? 0,
    tokens: consultation?.tokens ?? noTokens(),
    usd: consultation === undefined ? 0 : consultation.usd,
    ...owedAfter(session, consultation?.heard === true ? purpose : undefined),
  };
  // The report was the last word, where there is nothing to add.
  const isSaid = ground.state().monitor.phase === "done" && taken.done.length === 0 &&
    consultation === undefined && !taken.triggers.includes("boot");
  const said = keyed(ground, { key: `tick/${number}`, kind: "agent", text: summary });
  try {
    await ground.record([
      ...consultation?.happenings ?? [],
      ...isSaid ? [] : [{ type: "said" as const, said }],
      { type: "ticked", tick },
    ]);
  } catch (error) {
    // A full disk: what could not be told now is told by the next tick.
    putBack(session, taken);
    throw error;
  }
  // What the model failed to judge is judged when it is back.
  if (detail !== undefined && consultation?.heard !== true) return;
  if (detail !== undefined) concerns.delete(purpose as "failure");
  session.failed = session.failed.filter((one) => !told.failed.includes(one));
  session.completed = session.completed.filter((one) => !told.completed.includes(one));
}

function owedAfter(
  { ground, concerns }: Session,
  heard: Purpose | undefined,
): Pick<Tick, "owed"> {
  if ("none" in ground.thinking.agent) return {};
  const open = [...concerns].filter(([about]) => about !== heard);
  return open.length === 0 ? {} : { owed: Object.fromEntries(open) };
}

function takeUp(session: Session): { triggers: readonly Trigger[]; done: readonly string[] } {
  const triggers = session.triggers.size === 0 ? ["scheduled" as const] : [...session.triggers];
  const { done } = session;
  session.triggers = new Set();
  session.done = [];
  return { triggers, done };
}

/** The turn was cut off by the end of the daemon: the next one begins where it began. */
function putBack(session: Session, taken: ReturnType<typeof takeUp>): void {
  for (const trigger of taken.triggers) session.triggers.add(trigger);
  session.done = [...taken.done, ...session.done];
}

function nextTickAt(
  session: Session,
  rules: InForce,
): number {
  const { ground } = session;
  const now = ground.clock.now();
  const { monitor } = ground.state();
  const wish = session.wishedAt === undefined ? undefined : (session.wishedAt - now) / 1000;
  session.wishedAt = undefined;
  const { seconds } = nextTickDelay({
    phase: monitor.phase,
    now,
    lastActivityAt: session.lastActivityAt,
    settings: { activeSeconds: rules.activeSeconds, steadySeconds: rules.steadySeconds },
    wish,
    // What ends or fails wakes it by itself.
    expected: monitor.confirmations.map(({ expiresAt }) => expiresAt),
  });
  return now + seconds * 1000;
}
