import type { Desk } from "../../actions/desk.ts";
import { z } from "../../base/schema.ts";
import type { Event } from "../../sweep/event.ts";
import { LIVE } from "../../sweep/status.ts";
import { defineTool } from "../define-tool.ts";
import type { Tool } from "../tool.ts";
import type { Kit } from "./kit.ts";
import { quoteFacts } from "./page-rows.ts";
import { requireTrial, trialIndex } from "./trial-list.ts";

const MOST_SECONDS = 60;
const SECONDS = 30;
/** Endings of an array come together; one answer for all of them. */
const SETTLE_MS = 300;
const CHANGES_SHOWN = 30;
/** Live trials that are compared one by one; each costs a look at its log. Of others the totals tell. */
const COMPARED = 100;

export function waitForEventTool({ desk, clock, quote }: Kit): Tool {
  return defineTool({
    name: "wait_for_event",
    description:
      `Waits up to ${MOST_SECONDS} s for the next change of a trial or a message. Only ` +
      "right after you acted and when the outcome matters now; herd wakes you anyway.",
    input: z.strictObject({
      seconds: z.int().min(1).max(MOST_SECONDS).optional(),
      trial: trialIndex.optional(),
    }),
    acts: false,
    async run({ seconds = SECONDS, trial }, signal) {
      if (trial !== undefined) requireTrial(desk, trial);
      const indices = trial === undefined ? liveTrials(desk) : [trial];
      const before = standing(desk, indices);
      const over = new AbortController();
      const either = AbortSignal.any([signal, over.signal]);
      const news = listen(desk);
      const deadline = clock.now() + seconds * 1000;
      try {
        for (;;) {
          const left = deadline - clock.now();
          if (left > 0) await Promise.race([news.next(), clock.sleep(left, either)]);
          const { heard, message } = news.take();
          if (message) return "Somebody wrote: the message comes with your next turn.";
          if (!heard) return `Nothing changed within ${seconds} s.`;
          // The state follows the event, and an array's tasks follow each other.
          await clock.sleep(SETTLE_MS, either);
          const after = standing(desk, indices);
          const changes = changesOf(before.statuses, after.statuses);
          const moved = JSON.stringify(before.totals) !== JSON.stringify(after.totals);
          if (changes.length === 0 && (trial !== undefined || !moved)) continue;
          const facts = { changes: changes.slice(0, CHANGES_SHOWN), totals: after.totals };
          const more = changes.length - CHANGES_SHOWN;
          return quoteFacts(quote, facts, "what changed") +
            (more > 0 ? `\nAnd ${more} more.` : "");
        }
      } finally {
        news.end();
        over.abort();
      }
    },
  });
}

/** Remembers that something worth a look happened until it is taken. */
function listen(desk: Desk) {
  let heard = false;
  let message = false;
  let wake = () => {};
  const end = desk.onEvent(({ what }: Event) => {
    if (what.type === "message-received") message = true;
    else if (!TELLING.has(what.type)) return;
    heard = true;
    wake();
  });
  return {
    next: () =>
      new Promise<void>((resolve) => {
        if (heard) resolve();
        else wake = resolve;
      }),
    take() {
      const taken = { heard, message };
      heard = false;
      return taken;
    },
    end,
  };
}

/** Events after which a trial may have another status. */
const TELLING: ReadonlySet<string> = new Set<Event["what"]["type"]>([
  "attempts-changed",
  "submission-intended",
  "submission-accepted",
  "submission-ended",
  "intent-set",
]);

function liveTrials(desk: Desk): number[] {
  const { items } = desk.status({ statuses: [...LIVE], limit: COMPARED });
  return items.map(({ index }) => index);
}

interface Standing {
  statuses: ReadonlyMap<number, string>;
  totals: Readonly<Record<string, number>>;
}

function standing(desk: Desk, indices: readonly number[]): Standing {
  const { items, totals } = desk.status({ indices, limit: COMPARED });
  return { statuses: new Map(items.map(({ index, status }) => [index, status])), totals };
}

function changesOf(
  before: ReadonlyMap<number, string>,
  after: ReadonlyMap<number, string>,
): { trial: number; from: string; to: string }[] {
  const changes = [];
  for (const [trial, to] of after) {
    const from = before.get(trial) ?? "none";
    if (from !== to) changes.push({ trial, from, to });
  }
  return changes;
}
