import type { Context } from "hono";
import type { ControlEnv } from "./door.ts";

export interface StreamTiming {
  /** Silence of this length is broken by a comment line. */
  heartbeatMs: number;
  /** A reader that takes nothing for this long is cut off. */
  stallMs: number;
  /** Shortest and longest pause between two looks at a growing log. */
  pollMs: readonly [number, number];
}

export const STREAM_TIMING: StreamTiming = {
  heartbeatMs: 15_000,
  stallMs: 60_000,
  pollMs: [250, 2000],
};

/**
 * Answers with a stream of server-sent events. The next piece is asked for only
 * when the reader took the one before: what it has not taken stays where it comes
 * from (the journal, the log), and nothing piles up in memory.
 */
export function eventStream(
  context: Context<ControlEnv>,
  { stallMs, onError }: { stallMs: number; onError: (error: unknown) => void },
  source: (signal: AbortSignal) => AsyncGenerator<string>,
): Response {
  const stop = new AbortController();
  const closing = context.env?.door?.closing;
  const pieces = source(stop.signal);
  const encoder = new TextEncoder();
  let stall: ReturnType<typeof setTimeout> | undefined;
  let gone = false;

  /** The server closes: the source may still say so. */
  function endSource(): void {
    stop.abort();
  }

  function leave(): void {
    gone = true;
    clearTimeout(stall);
    closing?.removeEventListener("abort", endSource);
    stop.abort();
  }

  function cutOff(): void {
    leave();
    context.env?.outgoing?.destroy();
  }

  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      clearTimeout(stall);
      try {
        const piece = await pieces.next();
        if (gone) return;
        if (piece.done) {
          leave();
          return controller.close();
        }
        controller.enqueue(encoder.encode(piece.value));
        stall = setTimeout(cutOff, stallMs);
      } catch (error) {
        // The head of the answer is out: all that is left to say is to hang up.
        onError(error);
        cutOff();
      }
    },
    async cancel() {
      leave();
      await pieces.return(undefined);
    },
  }, { highWaterMark: 0 });
  // By hand: a signal of AbortSignal.any would stay with the server's for as long as that lives.
  if (closing?.aborted) endSource();
  else closing?.addEventListener("abort", endSource);
  return context.body(body, 200, {
    "Content-Type": "text/event-stream",
    // A proxy in between is not to wait for more.
    "X-Accel-Buffering": "no",
  });
}
