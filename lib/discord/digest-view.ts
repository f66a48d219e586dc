import { compactRanges, count } from "../base/text.ts";
import type { Said } from "../sweep/monitor-event.ts";
import { spanText } from "../words/duration-text.ts";
import { keepBeginning } from "../words/post-text.ts";
import { prefixOf } from "../words/prefix.ts";
import type { Outgoing } from "./message.ts";
import { messagesOf, nonceOf, viewOfSaid } from "./post-view.ts";
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
export function digestOf(late: readonly Late[], now: number, sweep: string): readonly Outgoing[] {
  const [first] = late;
  if (first === undefined) return [];
  const key = `digest/${first.seq}-${late.at(-1)!.seq}`;
  const body = late.length === 1 ? [line(first.said)] : [
    `📬 ${count(late.length, "post")} from the last ${spanText(now - first.at)}, in short:`,
    ...fates(late),
    ...latest(late),
  ];
  const parts = messagesOf(body.join("\n"), "posts.md").map((part, i) => ({
    ...part,
    nonce: nonceOf(sweep, key, i),
  }));
  const asked = late.filter(({ said }) => said.confirmation !== undefined)
    .flatMap(({ said }) => viewOfSaid(said, { sweep }));
  return [...parts, ...asked];
}

function fates(late: readonly Late[]): string[] {
  const last = new Map<number, string>();
  for (const { said } of late) {
    for (const [trial, status] of said.trials ?? []) last.set(trial, status);
  }
  return FATES.flatMap((fate) => {
    const trials = [...last].filter(([, status]) => status === fate).map(([trial]) => trial);
    if (trials.length === 0) return [];
    const list = keepBeginning(compactRanges(trials.sort((a, b) => a - b)), 600);
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
