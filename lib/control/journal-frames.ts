import type { Desk, Notice } from "../actions/desk.ts";
import { createBell } from "./bell.ts";
import { frameText, HEARTBEAT } from "./sse-text.ts";

/** Events taken from the journal at once. */
const PAGE = 200;

/** Notices of so many keys wait at most; of one key only the last. */
const MOST_NOTICES = 100;

export interface Following {
  desk: Desk;
  /** Sequence number behind which it goes on; undefined: from now on. */
  after: number | undefined;
  /** Only events of these types; undefined: all. */
  types: readonly string[] | undefined;
  /** False once the daemon let go of the sweep: the stream ends then. */
  isHeld(): boolean;
  /** The next version of the daemon holds it again in a moment. */
  isRestarting(): boolean;
  heartbeatMs: number;
}

/**
 * A sweep's events as frames whose id is the sequence number, and its passing
 * notices as frames without id. Reads the journal at the reader's pace, so that
 * none is lost or told twice however slow the reader is.
 */
export async function* journalFrames(
  { desk, after, types, isHeld, isRestarting, heartbeatMs }: Following,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const bell = createBell();
  const notices = new Map<string, Notice>();
  let cursor = after;
  const endings = [
    desk.onEvent(({ seq }) => {
      cursor ??= seq - 1;
      bell.ring();
    }),
    desk.onNotice((notice) => {
      notices.delete(notice.key);
      notices.set(notice.key, notice);
      for (const key of notices.keys()) if (notices.size > MOST_NOTICES) notices.delete(key);
      bell.ring();
    }),
  ];
  try {
    yield `retry: 1000\n${HEARTBEAT}`;
    while (!signal.aborted) {
      const events = cursor === undefined ? [] : desk.events(cursor, PAGE);
      for (const event of events) {
        cursor = event.seq;
        const wanted = types === undefined || types.includes(event.what.type);
        if (wanted) yield frameText({ id: event.seq, data: event });
        if (signal.aborted) break;
      }
      if (events.length >= PAGE) continue;
      for (const [key, notice] of notices) {
        notices.delete(key);
        yield frameText({ event: "notice", data: notice });
      }
      if (!isHeld()) break;
      const rang = await bell.wait(heartbeatMs, signal);
      if (!rang && !signal.aborted) yield HEARTBEAT;
    }
    yield frameText({ event: "end", data: { released: !isHeld() && !isRestarting() } });
  } finally {
    for (const end of endings) end();
  }
}
