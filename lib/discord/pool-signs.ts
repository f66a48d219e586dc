import type { Clock } from "../base/clock.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { Task } from "../tasks/task.ts";
import type { Id } from "./message.ts";
import { nap } from "./nap.ts";
import type { PoolMarks } from "./pool-marks.ts";
import { newest } from "./pool-memory.ts";
import type { PoolMemory } from "./pool-memory.ts";
import { isOver } from "./pool-text.ts";

export interface PoolSignsParts {
  desk: Pick<PoolDesk, "state" | "onEvent">;
  memory: PoolMemory;
  marks: PoolMarks;
  clock: Clock;
  queueId(): Id | undefined;
}

/** A task's state as a reaction to its message. */
export interface PoolSigns extends AsyncDisposable {
  /** Once the channel is found, and again: what is not as it should be gets its last state alone. */
  start(): void;
  /** It is stored. `seen` is somebody's message that gets its 👀; a post of ours says as much itself. */
  stored(task: string, seen?: { channelId: Id; messageId: Id }): void;
}

/** A state that lasts is worth a request; what is done in a moment gets its end alone. */
const LASTS_MS = 5 * 60_000;
/** So many tasks are remembered with their sign. */
const MOST = 1_000;

/** ⏳ queued, ▶️ running, ✅ done, ❌ failed, 🛑 cancelled, 🔁 tried again; 👀 is set where it is stored. */
export function signOf({ status, epoch }: Pick<Task, "status" | "epoch">): string {
  switch (status) {
    case "queued":
      return epoch === 0 ? "⏳" : "🔁";
    case "assigned":
    case "running":
      return "▶️";
    case "succeeded":
      return "✅";
    case "cancelled":
      return "🛑";
    default:
      return "❌";
  }
}

/** At most two requests of a run: one passing state that lasts, and the end. */
export function createPoolSigns(parts: PoolSignsParts): PoolSigns {
  const { desk, memory, marks, clock } = parts;
  const stop = new AbortController();
  /** Open tasks whose state may come to last: since when. One passing sign each. */
  const passing = new Map<string, { sign: string; since: number }>();
  let wakeUp = Promise.withResolvers<void>();
  let running: Promise<void> | undefined;

  const stopListening = desk.onEvent(({ what }) => {
    if ("task" in what && what.type.startsWith("task-") || what.type === "attempt-accepted") {
      look((what as { task: string }).task);
    }
    if (what.type === "attempt-lost") look(what.task);
  });

  function look(id: string): void {
    const task = desk.state().tasks.get(id);
    const there = task && messageOf(task);
    const { [id]: before } = memory.read().signs;
    if (task === undefined || there === undefined || before === undefined) return;
    const sign = signOf(task);
    if (isOver(task)) {
      passing.delete(id);
      if (sign !== before) set(id, there, sign, ENDS.includes(before) ? before : undefined);
      return;
    }
    // One passing sign is enough.
    if (before !== "👀" && !ENDS.includes(before)) return;
    if (passing.get(id)?.sign === sign) return;
    passing.set(id, { sign, since: clock.now() });
    wakeUp.resolve();
  }

  function set(
    id: string,
    there: { channelId: Id; messageId: Id },
    sign: string,
    instead: string | undefined,
  ): void {
    marks.set({ ...there, emoji: sign, instead, onSet: () => remember(id, sign) });
  }

  function remember(id: string, sign: string): void {
    const { [id]: _, ...others } = memory.read().signs;
    memory.write({ signs: newest({ ...others, [id]: sign }, MOST) });
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      wakeUp = Promise.withResolvers();
      const now = clock.now();
      let next = Infinity;
      for (const [id, { sign, since }] of passing) {
        if (now - since >= LASTS_MS) show(id, sign);
        else next = Math.min(next, since + LASTS_MS - now);
      }
      await nap(clock, next === Infinity ? undefined : next, wakeUp.promise, stop.signal);
    }
  }

  function show(id: string, sign: string): void {
    passing.delete(id);
    const task = desk.state().tasks.get(id);
    const there = task && messageOf(task);
    if (task === undefined || there === undefined || signOf(task) !== sign) return;
    const { [id]: before = "" } = memory.read().signs;
    set(id, there, sign, ENDS.includes(before) ? before : undefined);
  }

  function messageOf({ id, origin }: Task): { channelId: Id; messageId: Id } | undefined {
    const { kind, channelId, messageId } = origin;
    if (kind === "message" && channelId !== undefined && messageId !== undefined) {
      return { channelId, messageId };
    }
    const queue = parts.queueId();
    const { [id]: mirror } = memory.read().mirrors;
    return queue === undefined || mirror === undefined
      ? undefined
      : { channelId: queue, messageId: mirror };
  }

  return {
    start() {
      for (const id of Object.keys(memory.read().signs)) look(id);
      running ??= run();
    },
    stored(id, seen) {
      remember(id, "👀");
      const task = desk.state().tasks.get(id);
      // Its end may have come before its message.
      if (task !== undefined && isOver(task)) return look(id);
      if (seen !== undefined) marks.set({ ...seen, emoji: "👀" });
      look(id);
    },
    async [Symbol.asyncDispose]() {
      stopListening();
      stop.abort();
      wakeUp.resolve();
      await running;
    },
  };
}

const ENDS = ["✅", "❌", "🛑"];
