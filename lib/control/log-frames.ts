import type { Desk } from "../actions/desk.ts";
import { createBell } from "./bell.ts";
import type { StreamTiming } from "./event-stream.ts";
import { frameText, HEARTBEAT } from "./sse-text.ts";

export interface LogFollowing {
  desk: Desk;
  index: number;
  stream: "stdout" | "stderr";
  /** Bytes; undefined: the last `lines` first. */
  from: number | undefined;
  lines: number | undefined;
  isHeld(): boolean;
  /** The next version of the daemon holds it again in a moment. */
  isRestarting(): boolean;
  timing: StreamTiming;
}

/**
 * A growing log as frames whose id is the place behind their text, in bytes. A file
 * that became shorter was written anew: a frame `reset`, then it from its beginning.
 */
export async function* logFrames(
  { desk, index, stream, from, lines, isHeld, isRestarting, timing }: LogFollowing,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const [shortest, longest] = timing.pollMs;
  const bell = createBell();
  let place = from;
  let pause = shortest;
  let silent = 0;
  yield `retry: 1000\n${HEARTBEAT}`;
  while (!signal.aborted && isHeld()) {
    const page = place === undefined
      ? desk.log(index, { stream, ...(lines === undefined ? {} : { lines }) })
      : desk.log(index, { stream, from: place });
    if (place !== undefined && page.size < place) {
      place = 0;
      yield frameText({ event: "reset", id: 0, data: { size: page.size } });
      continue;
    }
    const before = place;
    place = page.next;
    if (page.text !== "" || before === undefined) {
      yield frameText({ id: page.next, data: page });
      [pause, silent] = [shortest, 0];
      // More than one page may be waiting.
      if (before !== undefined && page.next < page.size && page.next > before) continue;
    }
    await bell.wait(pause, signal);
    silent += pause;
    pause = Math.min(pause * 2, longest);
    if (silent >= timing.heartbeatMs && !signal.aborted) {
      silent = 0;
      yield HEARTBEAT;
    }
  }
  yield frameText({ event: "end", data: { released: !isHeld() && !isRestarting() } });
}
