import type { FakeMessage } from "./world.ts";

/** What messages were before each change, so that a read can be as stale as Discord's may be. */
export interface History {
  /** To be called before a change; undefined: it was not there. */
  note(id: string, before: FakeMessage | undefined): void;
  /** All messages as they were at a time. */
  at(when: number, messages: readonly FakeMessage[]): FakeMessage[];
}

const MOST = 20_000;

export function createHistory(now: () => number): History {
  const changes: { at: number; id: string; before: FakeMessage | undefined }[] = [];
  return {
    note(id, before) {
      const copy = before === undefined ? undefined : { ...before, reactions: new Map() };
      changes.push({ at: now(), id, before: copy });
      if (changes.length > MOST) changes.splice(0, MOST / 2);
    },
    at(when, messages) {
      const then = new Map(messages.map((one) => [one.id, one]));
      for (const { at, id, before } of changes.toReversed()) {
        if (at <= when) break;
        if (before === undefined) then.delete(id);
        else then.set(id, before);
      }
      return [...then.values()].sort((a, b) => BigInt(a.id) < BigInt(b.id) ? -1 : 1);
    },
  };
}
