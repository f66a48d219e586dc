import type { Clock } from "../base/clock.ts";
import type { Event } from "../sweep/event.ts";
import type { AgentSession, Block } from "./agent-session.ts";
import type { Arrival } from "./arrival.ts";
import type { ChatHappening, TurnEnding, Where } from "./chat-event.ts";
import type { ChatState, Conversation, TurnRecord, Waiting } from "./chat-state.ts";
import { type BatchLimits, nextBatch } from "./next-turn.ts";
import type { TurnPatience } from "./patience.ts";
import { type RunningTurn, runTurn } from "./run-turn.ts";
import type { Sessions } from "./sessions.ts";
import { type Turn, type TurnFailure, turnId } from "./turn.ts";

export interface TurnsParts {
  state(): ChatState;
  /** On disk when it returns; throws when the disk refuses, and then nothing has happened. */
  append(whats: readonly ChatHappening[], by: string): readonly Event<ChatHappening>[];
  sessions: Sessions;
  clock: Clock;
  batch(): BatchLimits;
  patience(): TurnPatience;
  /** Where the conversation's answers go: a thread is made, or found; a reply where none can be. */
  place(conversation: Conversation, signal: AbortSignal): Promise<Where>;
  /** What the agent is given of these messages, with attachments. */
  blocks(
    conversation: Conversation,
    messages: readonly Arrival[],
    signal: AbortSignal,
  ): Promise<readonly Block[]>;
  /**
   * Asked when a turn is about to begin: it does, it ends at once with a word, or its messages are
   * not answered at all, because they were let in under rules that do not hold any more.
   */
  screen?(conversation: Conversation, batch: readonly Waiting[]): "go" | "drop" | TurnFailure;
  log(level: "info" | "warn" | "error", message: string, facts?: Record<string, unknown>): void;
}

/** After so long a disk that refused is asked again. */
const RETRY_MS = 5_000;

/** How many lives of this program may die in the same turn before it is given up with a word. */
const TRIES = 3;

const LOST: TurnFailure = {
  kind: "lost",
  message: `herd ended ${TRIES} times in the middle of this turn`,
  code: undefined,
  stderr: "",
  hint: "Say it again, perhaps in other words",
};

/** What each conversation does, one thing at a time: turns of what waits in it, in order. */
export interface Turns extends AsyncDisposable {
  /** Something waits there. */
  wake(conversation: string): void;
  /** Resolves when nothing is done there; undefined: nothing is. */
  busy(conversation: string): Promise<void> | undefined;
  /** Something else is done there first; nothing else may be under way. Never rejects. */
  occupy(conversation: string, act: (stop: AbortSignal) => Promise<void>): void;
  running(conversation: string): RunningTurn | undefined;
  /** False where none runs. */
  cancel(conversation: string, by: string): boolean;
  /** Messages that wait are not answered; gives how many. */
  drop(conversation: string, waiting: readonly Waiting[], by: string): number;
  /** The session is known to the next life. */
  know(conversation: string, session: AgentSession): void;
  /** As they are now. */
  all(): readonly Turn[];
  onTurn(listener: (turn: Turn) => void): () => void;
  /** Takes up what an earlier life left; begins no turn before `ready`. */
  start(ready?: Promise<void>): void;
}

interface Running {
  turn: RunningTurn;
  stop: AbortController;
  by: string;
}

export function createTurns(parts: TurnsParts): Turns {
  const { clock, append: write } = parts;
  const running = new Map<string, Running>();
  const lanes = new Map<string, Promise<void>>();
  const listeners = new Set<(turn: Turn) => void>();
  const stop = new AbortController();
  let isReady = true;

  const find = (id: string) => parts.state().conversations.get(id);

  function wake(id: string): void {
    if (!isReady || stop.signal.aborted || lanes.has(id)) return;
    lanes.set(id, work(id).finally(() => lanes.delete(id)));
  }

  /** Never rejects: what the disk refuses is done when it does not, as nothing has happened until then. */
  async function work(id: string): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        return await workOff(id);
      } catch (error) {
        if (stop.signal.aborted) return;
        parts.log("error", "A conversation cannot go on", { conversation: id, error: `${error}` });
        await clock.sleep(RETRY_MS, stop.signal).catch(() => {});
      }
    }
  }

  /** Until the disk takes it. Rejects when this program is to end. */
  async function surely(act: () => void): Promise<void> {
    for (let isTold = false;; isTold = true) {
      try {
        return act();
      } catch (error) {
        stop.signal.throwIfAborted();
        if (!isTold) parts.log("error", "Cannot write what has happened", { error: `${error}` });
        await clock.sleep(RETRY_MS, stop.signal);
      }
    }
  }

  async function workOff(id: string): Promise<void> {
    while (!stop.signal.aborted) {
      const one = find(id);
      const batch = one === undefined ? [] : nextBatch(one.waiting, parts.batch());
      if (one === undefined || batch.length === 0) return;
      const verdict = batch.some(({ deaths }) => deaths >= TRIES)
        ? LOST
        : parts.screen?.(one, batch) ?? "go";
      if (verdict === "go") await carryOut(one, batch);
      else if (verdict === "drop") drop(id, batch, "broker");
      else await giveUp(one, batch, verdict);
    }
  }

  /** With a word, where people see it. */
  async function giveUp(
    one: Conversation,
    batch: readonly Waiting[],
    failure: TurnFailure,
  ): Promise<void> {
    await settle(one, stop.signal);
    const { turn, messages } = begin(one, batch);
    const ending = { end: "failed", text: "", failure, tookMs: 0 } as const;
    await surely(() => finish(one.id, turn, ending));
    tell({
      id: turn,
      conversation: one.id,
      messages,
      state: stateOf(ending, "broker"),
      startedAt: undefined,
      activeAt: clock.now(),
      tools: [],
      text: "",
      use: undefined,
    });
  }

  function begin(one: Conversation, batch: readonly Waiting[]) {
    const messages = batch.map(({ arrival }) => arrival.id);
    const turn = turnId(one.id, one.turns + 1);
    write([{ type: "turn-begun", turn, conversation: one.id, messages }], "broker");
    return { turn, messages };
  }

  function finish(conversation: string, turn: string, ending: TurnEnding, by = "broker"): void {
    write([{ type: "turn-ended", turn, conversation, ...ending }], by);
  }

  async function carryOut(one: Conversation, batch: readonly Waiting[]): Promise<void> {
    const { turn, messages } = begin(one, batch);
    const own = new AbortController();
    const signal = AbortSignal.any([own.signal, stop.signal]);
    let placed = Promise.resolve();
    const run = runTurn({
      turn: { id: turn, conversation: one.id, messages, begunAt: clock.now() },
      sessions: parts.sessions,
      async blocks(ended) {
        placed = settle(one, ended);
        await placed;
        return await parts.blocks(one, batch.map(({ arrival }) => arrival), ended);
      },
      patience: parts.patience(),
      clock,
      signal,
      onChange: tell,
      onSession: (session) => know(one.id, session),
    });
    const entry = { turn: run, stop: own, by: "broker" };
    running.set(one.id, entry);
    const ending = await run.ended;
    running.delete(one.id);
    // The end of this program is no end of the turn: its next life takes it up again.
    const isCut = stop.signal.aborted && ending.end !== "done";
    const end = isCut || !await isSpeakable(one, ending, placed) ? "interrupted" : ending.end;
    const orderly = end === "interrupted" || undefined;
    const by = end === "cancelled" && !own.signal.aborted ? "the agent itself" : entry.by;
    await surely(() => finish(one.id, turn, { ...ending, end, orderly }, by));
    if (end !== "interrupted") tell({ ...run.now, state: stateOf({ ...ending, end }, by) });
  }

  /** An agent may fail before there is a place to say so. False when this program is to end first. */
  async function isSpeakable(
    one: Conversation,
    { end }: TurnEnding,
    placed: Promise<void>,
  ): Promise<boolean> {
    if (end !== "failed") return true;
    try {
      await placed.catch(() => settle(one, stop.signal));
      return true;
    } catch (error) {
      if (stop.signal.aborted) return false;
      throw error;
    }
  }

  /** A conversation has its place before its first turn begins to speak. */
  async function settle(one: Conversation, signal: AbortSignal): Promise<void> {
    if (find(one.id)?.where !== undefined) return;
    const where = await parts.place(one, signal);
    await surely(() =>
      write([{ type: "conversation-placed", conversation: one.id, where }], "broker")
    );
  }

  function know(conversation: string, { sessionId }: AgentSession): void {
    if (find(conversation)?.sessionId === sessionId) return;
    // Unknown to the next life it is replayed; no turn fails for that.
    surely(() => write([{ type: "session-known", conversation, sessionId }], "broker"))
      .catch(() => {});
  }

  function tell(turn: Turn): void {
    for (const listener of listeners) {
      try {
        listener(turn);
      } catch (error) {
        parts.log("warn", "A listener of the broker failed", { error: `${error}` });
      }
    }
  }

  function drop(conversation: string, waiting: readonly Waiting[], by: string): number {
    const whats = waiting.map(({ arrival }) =>
      ({ type: "message-withdrawn", message: arrival.id, conversation }) as const
    );
    if (whats.length > 0) write(whats, by);
    return whats.length;
  }

  return {
    wake,
    busy: (conversation) => lanes.get(conversation),
    occupy(conversation, act) {
      const lane = act(stop.signal).finally(() => {
        lanes.delete(conversation);
        wake(conversation);
      });
      lanes.set(conversation, lane);
    },
    running: (conversation) => running.get(conversation)?.turn,
    cancel(conversation, by) {
      const one = running.get(conversation);
      if (one === undefined) return false;
      one.by = by;
      one.stop.abort();
      return true;
    },
    drop,
    know,
    all: () => [...running.values()].map(({ turn }) => turn.now),
    onTurn(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start(ready) {
      for (const { id, turn } of parts.state().conversations.values()) {
        if (turn !== undefined) finish(id, turn.id, interrupted(turn, clock.now()));
      }
      const wakeAll = () => {
        isReady = true;
        for (const id of parts.state().conversations.keys()) wake(id);
      };
      if (ready === undefined) return wakeAll();
      isReady = false;
      void ready.then(wakeAll);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(lanes.values());
    },
  };
}

function interrupted({ begunAt }: TurnRecord, now: number): TurnEnding {
  return { end: "interrupted", text: "", tookMs: now - begunAt };
}

/** How a turn that is over looks. */
export function stateOf({ end, failure }: TurnEnding, by: string): Turn["state"] {
  if (end === "done") return { kind: "done" };
  if (end === "failed" && failure !== undefined) return { kind: "failed", failure };
  return { kind: "cancelled", by };
}
