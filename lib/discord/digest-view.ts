import { compactRanges, count } from "../base/text.ts";
import type { Said } from "../sweep/monitor-event.ts";
import { spanText } from "../words/duration-text.ts";
import { keepBeginning } from "../words/post-text.ts";
import { prefixOf } from "../words/prefix.ts";
import type { Outgoing } from "./message.ts";
import { messagesOf, nonceOf } from "./post-view.ts";
import { ruleText, withoutMentions } from "./safe-text.ts";

interface Late {
  seq: number;
  at: number;
  said: Said;
}

const FATES = ["failed", "completed", "running", "pruned", "paused", "cancelled"];

/**
 * Posts that could not be posted for a while, as one: every trial's last fate, what failed in its
 * own words, what the agent said last, and whatever still waits for an answer with its buttons.
 * `now` in milliseconds since the epoch.
 */
export function digestOf(
  all: readonly Late[],
  { now, sweep, view }: {
    now: number;
    sweep: string;
    view(late: Late): readonly Outgoing[];
  },
): readonly Outgoing[] {
  const [first] = all;
  if (first === undefined) return [];
  const key = `digest/${first.seq}-${all.at(-1)!.seq}`;
  const body = all.length === 1
    ? [line(first.said)]
    : inShort(all.filter((one) => !isOwn(one)), now);
  const messages = body.length === 0 ? [] : messagesOf(body.join("\n"), "posts.md");
  const parts = messages.map((part, i) => ({ ...part, nonce: nonceOf(sweep, key, i) }));
  return all.length === 1 ? parts : [...parts, ...all.filter(isOwn).flatMap(view)];
}

/** An answer to somebody, and a question to people, stay posts of their own. */
export function isOwn({ said }: Pick<Late, "said">): boolean {
  return said.replyTo !== undefined || said.confirmation !== undefined || said.task !== undefined;
}

function inShort(late: readonly Late[], now: number): string[] {
  const [first] = late;
  if (first === undefined) return [];
  const ms = now - first.at;
  const since = ms < 60_000 ? "at once" : `from the last ${spanText(ms)}`;
  return [`📬 ${count(late.length, "post")} ${since}, in short:`, ...fates(late), ...latest(late)];
}

function fates(late: readonly Late[]): string[] {
  const last = new Map<number, string>();
  for (const { said } of late) {
    for (const [trial, status] of said.trials ?? []) last.set(trial, status);
  }
  return FATES.flatMap((fate) => {
    const trials = [...last].filter(([, status]) => status === fate).map(([trial]) => trial);
    if (trials.length === 0) return [];
    const list = keepBeginning(compactRanges(trials.sort((a, b) => a - b)), 1_500);
    return [`- ${count(trials.length, "trial")} ${fate}: ${list}`];
  });
}

/** What went wrong in full, of the rest the last word of each kind. */
function latest(late: readonly Late[]): string[] {
  const warnings = late.filter(({ said }) => said.kind === "warning").map(({ said }) => said);
  const others = ["halving", "agent", "stopped"].flatMap((kind) => {
    const found = late.findLast(({ said }) =>
      said.kind === kind && said.confirmation === undefined
    );
    return found === undefined ? [] : [found.said];
  });
  return [...warnings, ...others].map((said) => line(said));
}

function line({ kind, text }: Said): string {
  const safe = kind === "agent" ? withoutMentions(text) : ruleText(text);
  return `${prefixOf(kind)} ${keepBeginning(safe, 1_500)}`;
}
