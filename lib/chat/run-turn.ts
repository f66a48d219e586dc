import type { Clock } from "../base/clock.ts";
import type { AgentSession, Block, PermissionRequest } from "./agent-session.ts";
import type { TurnEnding } from "./chat-event.ts";
import { type TurnPatience, watchTurn } from "./patience.ts";
import type { Sessions, Taken } from "./sessions.ts";
import { closedTools, withTool } from "./tool-uses.ts";
import type { PermissionWord, Turn, TurnFailure, TurnState } from "./turn.ts";
import { withWord } from "./permission-words.ts";

export interface RunTurnParts {
  turn: { id: string; conversation: string; messages: readonly string[]; begunAt: number };
  sessions: Sessions;
  /** Attachments are fetched and mentions written while the agent starts. */
  blocks(signal: AbortSignal): Promise<readonly Block[]>;
  patience: TurnPatience;
  clock: Clock;
  /** Told to stop by somebody. */
  signal: AbortSignal;
  /** Each time anything of it changed. */
  onChange(turn: Turn): void;
  /** The session that the turn has; to be told of its id. */
  onSession(session: AgentSession): void;
}

export interface RunningTurn {
  readonly now: Turn;
  /** It may go on although it is silent. */
  extend(): void;
  /** A person is asked for a permission; undefined: was answered, and how. */
  asking(request: PermissionRequest | undefined, answered?: PermissionWord): void;
  ended: Promise<TurnEnding>;
}

/** Words of an answer that the journal keeps; the transcript has all. Characters. */
const KEPT = 100_000;

/** Carries one turn out, to its end, whatever the agent does. Never rejects. */
export function runTurn(parts: RunTurnParts): RunningTurn {
  const { clock, turn: given, signal } = parts;
  const late = new AbortController();
  const both = AbortSignal.any([signal, late.signal]);
  let why: string | undefined;
  let taken: Taken | undefined;
  let turn: Turn = {
    ...given,
    state: { kind: "queued", ahead: 0 },
    startedAt: undefined,
    activeAt: clock.now(),
    tools: [],
    text: "",
    use: undefined,
  };

  function change(more: Partial<Turn>): void {
    turn = { ...turn, ...more };
    parts.onChange(turn);
  }
  const enter = (state: TurnState) => change({ state });

  const watch = watchTurn({
    clock,
    patience: parts.patience,
    onStuck(silentMs) {
      if (turn.state.kind !== "running" && turn.state.kind !== "stuck") return;
      taken?.mark(silentMs !== undefined);
      enter(silentMs === undefined ? { kind: "running" } : { kind: "stuck", silentMs });
    },
    onEnd(reason) {
      why = reason;
      late.abort();
    },
  });
  watch.pause(true);

  function sign(more: Partial<Turn> = {}): void {
    const tools = more.tools ?? turn.tools;
    watch.alive(tools.some(({ status }) => status === "running"));
    change({ ...more, activeAt: clock.now() });
  }

  async function carryOut(): Promise<TurnEnding> {
    const preparing = parts.blocks(both);
    // It is awaited below; until then a failure is nobody's surprise.
    preparing.catch(() => {});
    const got = await parts.sessions.take(given.conversation, {
      signal: both,
      onAhead: (ahead) => enter({ kind: "queued", ahead }),
    });
    if ("aborted" in got) return stopped() ?? over("cancelled");
    // An agent whose start was stopped says that it failed.
    if ("failed" in got) return stopped() ?? over("failed", got.failed);
    taken = got;
    const { session } = got;
    parts.onSession(session);
    enter({ kind: "starting" });
    const blocks = await preparing;
    const before = stopped();
    if (before !== undefined) return before;
    watch.pause(false);
    change({ state: { kind: "running" }, startedAt: clock.now() });
    const end = await session.prompt(blocks, {
      signal: both,
      onText: (text) => sign({ text }),
      onTool: (told) => sign(withTool(turn, told)),
      onThought: () => sign(),
      onUse: (use) => sign({ use }),
    });
    change({ text: end.text });
    if (why !== undefined) return over("failed", timedOut(why));
    if (end.kind === "done" && end.text.trim() === "") {
      // Some programs end their turn when they may not do what they want; people know why.
      const isDenied = turn.answers?.some(({ answer }) => answer === "deny") === true;
      return isDenied ? over("cancelled") : over("failed", saidNothing(session));
    }
    if (end.kind !== "failed") return over(end.kind);
    return signal.aborted ? over("cancelled") : over("failed", end.failure);
  }

  function stopped(): TurnEnding | undefined {
    if (!both.aborted) return undefined;
    return why === undefined ? over("cancelled") : over("failed", timedOut(why));
  }

  function over(end: TurnEnding["end"], failure?: TurnFailure): TurnEnding {
    const { tools, counts } = closedTools(turn, end === "done");
    turn = { ...turn, tools };
    return {
      end,
      text: turn.text.slice(0, KEPT),
      failure,
      use: turn.use,
      tools: counts,
      tookMs: clock.now() - given.begunAt,
    };
  }

  const ended = carryOut().catch((error: unknown) => stopped() ?? over("failed", unexpected(error)))
    .finally(() => {
      watch.stop();
      taken?.release();
    });

  return {
    get now() {
      return turn;
    },
    extend: watch.extend,
    asking(request, answered) {
      watch.pause(request !== undefined);
      change({
        ...(answered === undefined ? {} : { answers: withWord(turn.answers, answered) }),
        state: request === undefined ? { kind: "running" } : {
          kind: "asking",
          what: request.title,
          detail: request.detail,
          question: request.question,
          behind: request.behind,
        },
      });
    },
    ended,
  };
}

function timedOut(why: string): TurnFailure {
  return {
    kind: "timeout",
    message: `The agent was ended: ${why}`,
    code: undefined,
    stderr: "",
    hint: "Say what it should do instead, or raise the limit in the configuration",
  };
}

function saidNothing(session: AgentSession): TurnFailure {
  return {
    kind: "nothing-said",
    message: "The agent ended its turn without a word",
    code: undefined,
    stderr: session.stderr(),
    hint: "Ask again; if it stays silent, see what it wrote to its standard error",
  };
}

function unexpected(error: unknown): TurnFailure {
  return {
    kind: "protocol",
    message: `The turn stopped: ${error instanceof Error ? error.message : String(error)}`,
    code: undefined,
    stderr: "",
    hint: undefined,
  };
}
