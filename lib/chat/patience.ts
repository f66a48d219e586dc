import type { Clock } from "../base/clock.ts";

export interface TurnPatience {
  /** Without a sign of life for so long a turn is stuck: people may wait on or stop it. */
  stuckMs: number;
  /** So long after that it is ended. */
  graceMs: number;
  /** However lively it is, a turn ends after so long. */
  totalMs: number;
  /** A tool that runs may be silent for so long. */
  toolMs: number;
}

export interface TurnWatch {
  /** A sign of life; text counts. `inTool`: a tool runs, which may be silent for longer. */
  alive(inTool: boolean): void;
  /** A person is asked: that time is nobody's fault. */
  pause(paused: boolean): void;
  /** A person says that it may go on: all is counted anew. */
  extend(): void;
  stop(): void;
}

const LOOK_MS = 1_000;

/** Tells of a turn that is stuck, that is not any more, and that must end. */
export function watchTurn(
  { clock, patience, onStuck, onEnd }: {
    clock: Clock;
    patience: TurnPatience;
    /** `undefined`: it moves again. */
    onStuck(silentMs: number | undefined): void;
    onEnd(why: string): void;
  },
): TurnWatch {
  const stop = new AbortController();
  let startedAt = clock.now();
  let aliveAt = startedAt;
  let pausedAt: number | undefined;
  let inTool = false;
  let isStuck = false;
  let ended = false;

  function look(): void {
    if (pausedAt !== undefined || ended) return;
    const now = clock.now();
    const silentMs = now - aliveAt;
    const most = inTool ? Math.max(patience.toolMs, patience.stuckMs) : patience.stuckMs;
    if (now - startedAt >= patience.totalMs) return finish("it took longer than a turn may");
    if (silentMs >= most + patience.graceMs) return finish("it was silent for too long");
    if (silentMs < most) return;
    isStuck = true;
    onStuck(silentMs);
  }

  function finish(why: string): void {
    ended = true;
    onEnd(why);
  }

  void (async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(LOOK_MS, stop.signal).catch(() => {});
      if (!stop.signal.aborted) look();
    }
  })();

  const alive = (tool: boolean) => {
    aliveAt = clock.now();
    inTool = tool;
    if (!isStuck) return;
    isStuck = false;
    onStuck(undefined);
  };

  return {
    alive,
    pause(paused) {
      const now = clock.now();
      if (paused) pausedAt ??= now;
      else if (pausedAt !== undefined) {
        startedAt += now - pausedAt;
        aliveAt = now;
        pausedAt = undefined;
      }
    },
    extend() {
      startedAt = clock.now();
      alive(inTool);
    },
    stop: () => stop.abort(),
  };
}
