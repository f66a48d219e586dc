import { EVENT_VERSION } from "../sweep/event.ts";
import type { Event, Happening } from "../sweep/event.ts";

/** What one line of a journal turned out to be. */
export type Line<H = Happening> =
  | { kind: "event"; event: Event<H> }
  /** Made by a newer herd: understood enough to count it, not to apply it. */
  | { kind: "newer"; seq: number | undefined; what: string }
  | { kind: "damaged"; why: string };

/** A type added to `Happening` must be added here; the compiler says so. */
const KNOWN: Readonly<Record<Happening["type"], true>> = {
  "sweep-defined": true,
  "trials-added": true,
  "trials-dropped": true,
  "trials-redefined": true,
  "drift-accepted": true,
  "submission-intended": true,
  "submission-accepted": true,
  "submission-ended": true,
  "attempts-changed": true,
  "intent-set": true,
  "cancel-sent": true,
  "rung-decided": true,
  "carried-over": true,
  "noted": true,
  "monitor-started": true,
  "monitor-stopped": true,
  "phase-entered": true,
  "question-asked": true,
  "question-closed": true,
  "message-received": true,
  "messages-handled": true,
  "said": true,
  "ticked": true,
  "model-used": true,
  "model-health": true,
  "budget-reached": true,
  "triaged": true,
  "bumped": true,
  "bump-applied": true,
  "warned": true,
  "confirmation-asked": true,
  "confirmation-answered": true,
  "confirmation-settled": true,
  "prompt-acknowledged": true,
  "halted": true,
  "unhalted": true,
  "cadence-chosen": true,
  "peripheral-health": true,
};

/** Whether a sweep's journal may hold it. */
export function isSweepHappening(type: string): boolean {
  return Object.hasOwn(KNOWN, type);
}

/** The bytes of `event` as a journal keeps it, newline included. JSON escapes every newline inside. */
export function writeLine<H>(event: Event<H>): string {
  return `${JSON.stringify(event)}\n`;
}

/** `knows` says which types of events this herd understands. */
export function readLine<H extends { type: string } = Happening>(
  text: string,
  knows: (type: string) => boolean = isSweepHappening,
): Line<H> {
  let value: Partial<Event<H>> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return {
      kind: "damaged",
      why: text.includes("\u0000") ? "it holds NUL bytes" : "it is not JSON",
    };
  }
  if (typeof value !== "object" || value === null || typeof value.v !== "number") {
    return { kind: "damaged", why: "it is not an event" };
  }
  if (value.v > EVENT_VERSION) {
    const what = `event version ${value.v}, this herd knows ${EVENT_VERSION}`;
    return { kind: "newer", seq: wholeNumber(value.seq), what };
  }
  const type: unknown = value.what?.type;
  const seq = wholeNumber(value.seq);
  if (seq === undefined || typeof value.at !== "number" || typeof value.by !== "string") {
    return { kind: "damaged", why: "it lacks a sequence number, a time or an actor" };
  }
  if (typeof type !== "string") return { kind: "damaged", why: "it does not say what happened" };
  if (!knows(type)) {
    return { kind: "newer", seq, what: `event type "${type.slice(0, 60)}", unknown to this herd` };
  }
  return { kind: "event", event: value as Event<H> };
}

function wholeNumber(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? value as number : undefined;
}
