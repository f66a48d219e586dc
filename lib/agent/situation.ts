import { compactRanges } from "../base/text.ts";
import type { Message } from "../sweep/monitor-event.ts";
import { STATUSES } from "../sweep/status.ts";
import { cleanLine, createQuote, cut } from "./quote-data.ts";
import type { Quote } from "./quote-data.ts";
import type { SituationInput } from "./situation-input.ts";
import { ago, span, timeText } from "./situation-time.ts";
import { wantedOf } from "./situation-wanted.ts";

/** In characters; together they stay below `SITUATION_LIMIT` whatever the sweep. */
const MOST = {
  messages: 2_800,
  message: 1_600,
  shownMessages: 12,
  failures: 5,
  headline: 140,
  decision: 90,
  line: 120,
  done: 6,
  doneLine: 110,
  talk: 12,
  talkLine: 100,
  confirmations: 3,
  actions: 6,
  detail: 700,
};

/** PROMPT.md and the plan share what the rest leaves, within this. */
const OWNER = { least: 1_200, most: 4_000 };

/** Longest prompt of a turn, in characters. */
export const SITUATION_LIMIT = 16_000;

/**
 * The messages that one turn shows, oldest first, by their room. The others wait
 * for the next turn; only those shown may be counted as handled by this one.
 */
export function messagesThatFit<M extends Message>(pending: readonly M[]): M[] {
  const shown: M[] = [];
  let room = MOST.messages;
  for (const one of pending.slice(0, MOST.shownMessages)) {
    const size = Math.min(one.text.length, MOST.message) + 160;
    if (shown.length > 0 && size > room) break;
    shown.push(one);
    room -= size;
  }
  return shown;
}

/** The prompt of a turn: the same input gives the same text. */
export function renderSituation(input: SituationInput): string {
  const quote = createQuote(input.mark);
  const shown = messagesThatFit(input.pending);
  const before = [headOf(input, quote), interruptedOf(input, quote)];
  const after = [
    failuresOf(input, quote),
    doneOf(input, quote),
    confirmationsOf(input, quote),
    detailOf(input, quote),
    talkOf(input, quote),
    questionOf(input, quote),
    ...shown.map((message) => messageOf(message, input.now, quote)),
    wantedOf(input, shown.length),
  ];
  const taken = [...before, ...after].reduce((sum, part) => sum + part.length + 2, 0);
  // Marks and sentences around the two of them.
  const room = (SITUATION_LIMIT - taken - 800) / 2;
  const most = Math.floor(Math.max(OWNER.least, Math.min(OWNER.most, room)));
  const parts = [...before, promptOf(input, quote, most), planOf(input, quote, most), ...after];
  return parts.filter((part) => part !== "").join("\n\n");
}

function headOf(input: SituationInput, quote: Quote): string {
  const { triggers, now, totals, phase, stage, halted, completed, budgetLeft, boot } = input;
  const counts = ["total", ...STATUSES].filter((status) => Object.hasOwn(totals, status))
    .map((status) => `${totals[status]} ${status}`).join(", ");
  const lines = [
    `Sweep "${input.sweep.replace(/[^\w.-]/g, "_").slice(0, 80)}", ${
      timeText(now)
    }. Called for: ${input.purpose} (${triggers.join(", ") || "manual"}).`,
    `Trials: ${counts}. Phase: ${phase ?? "not begun"}${
      phase === "stage" || phase === "canary" ? ` ${stage}` : ""
    }${boot === undefined ? "" : `, started as ${boot}`}.`,
    `Left to spend in US dollars: ${dollars(budgetLeft.tick)} now, ${
      dollars(budgetLeft.day)
    } today, ${dollars(budgetLeft.sweep)} in all.`,
  ];
  if (completed.length > 0) {
    lines.push(`Completed since the last tick: ${cleanLine(compactRanges(completed), 200)}.`);
  }
  if (halted !== undefined) {
    lines.push("Halted: nothing is submitted by itself. Why:");
    lines.push(quote(cleanLine(halted, 160), { source: "reason of the halt" }));
  }
  return lines.join("\n");
}

function interruptedOf({ interrupted, now }: SituationInput, quote: Quote): string {
  if (interrupted === undefined) return "";
  const { at, actions } = interrupted;
  const begun = `A turn for the same was begun ${ago(at, now)} and never finished.`;
  if (actions.length === 0) return `${begun} It had changed nothing.`;
  const left = actions.length - MOST.actions;
  const body = linesOf(actions.slice(-MOST.actions), 100);
  return `${begun} These of its actions are done; do not repeat them${
    left > 0 ? ` (${left} earlier ones are left out)` : ""
  }:\n${quote(body, { source: "actions of the interrupted turn" })}`;
}

function promptOf({ prompt }: SituationInput, quote: Quote, most: number): string {
  if (prompt === undefined) return "";
  if (prompt.state === "unchanged") {
    return "PROMPT.md is as you know it; read_user_prompt shows it.";
  }
  const cutNote = prompt.text.length > most ? "; the rest with read_user_prompt" : "";
  return `PROMPT.md is ${prompt.state}${cutNote}. Once taken into account: mark_user_prompt_read ` +
    `with ${prompt.sha256.slice(0, 64)}.\n` +
    quote(prompt.text, { kind: "owner", source: "PROMPT.md", limit: most });
}

function planOf({ plan }: SituationInput, quote: Quote, most: number): string {
  if (plan === undefined) return "There is no plan yet.";
  return quote(planInShort(plan, most), {
    kind: "owner",
    source: plan.length > most ? "MONITOR_PLAN.md, cut; read_plan shows all" : "MONITOR_PLAN.md",
    limit: most,
  });
}

/** Custom rules stand at the end and matter most: of a long plan its end is kept as well. */
function planInShort(plan: string, most: number): string {
  if (plan.length <= most) return plan;
  const rules = plan.search(/^#{1,6}[^\n]*\brules?\b/im);
  const half = most / 2;
  if (rules < half) return plan;
  return `${cut(plan, { limit: half - 20, keep: "start" })}\n${
    cut(plan.slice(rules), { limit: half - 20, keep: "start" })
  }`;
}

function failuresOf({ failed }: SituationInput, quote: Quote): string {
  if (failed.length === 0) return "";
  const blocks = failed.slice(0, MOST.failures).map((one) => {
    const head = cleanLine(
      `trial ${one.trial} (${cleanLine(one.name, 60)}), ${one.failure}: ${
        cleanLine(one.headline, MOST.headline)
      }`,
      MOST.headline + 80,
    );
    const rule = `  rules: ${cleanLine(one.decision, MOST.decision)}`;
    const last = one.lines.slice(-2).map((line) => `  | ${cleanLine(line, MOST.line)}`);
    return [head, rule, ...last].join("\n");
  });
  const rest = failed.slice(MOST.failures).map(({ trial }) => trial);
  const more = rest.length === 0
    ? ""
    : `\nAnd ${rest.length} more: ${cleanLine(compactRanges(rest), 200)}.`;
  return `New failures, with what the rules decided and the end of stderr:\n${
    quote(blocks.join("\n"), { source: "failures" })
  }${more}`;
}

function doneOf({ done }: SituationInput, quote: Quote): string {
  if (done.length === 0) return "";
  const left = done.length - MOST.done;
  return `Already done, by rules and people; do not repeat it${
    left > 0 ? ` (${left} earlier ones are left out)` : ""
  }:\n${quote(linesOf(done.slice(-MOST.done), MOST.doneLine), { source: "what was done" })}`;
}

function confirmationsOf({ confirmations, now }: SituationInput, quote: Quote): string {
  if (confirmations.length === 0) return "";
  const lines = confirmations.slice(0, MOST.confirmations).map(({ what, by, expiresAt }) =>
    `${cleanLine(what, 100)} (asked by ${cleanLine(by, 20)}, ${
      expiresAt > now ? `open for ${span(expiresAt - now)}` : "expired"
    })`
  );
  const left = confirmations.length - lines.length;
  if (left > 0) lines.push(`and ${left} more`);
  return `Waiting for a person's yes or no; neither do it nor ask again:\n${
    quote(lines.join("\n"), { source: "open confirmations" })
  }`;
}

function detailOf({ detail }: SituationInput, quote: Quote): string {
  if (detail === undefined || detail.trim() === "") return "";
  return quote(detail, { source: "facts on this call", limit: MOST.detail });
}

function talkOf({ talk, now }: SituationInput, quote: Quote): string {
  if (talk.length === 0) return "";
  const lines = talk.slice(-MOST.talk).map(({ at, who, text }) =>
    `${ago(at, now)}, ${cleanLine(who, 20)}: ${cleanLine(text, MOST.talkLine)}`
  );
  return `The conversation so far, oldest first:\n${
    quote(lines.join("\n"), { source: "earlier talk" })
  }`;
}

function questionOf({ question }: SituationInput, quote: Quote): string {
  if (question === undefined) return "";
  const choices = question.choices.slice(0, 6).map((choice) => cleanLine(choice, 40));
  const offered = choices.length === 0 ? "" : `\nchoices: ${choices.join(" | ")}`;
  return `Open question to people:\n${
    quote(`${cleanLine(question.text, 200)}${offered}`, { source: "the interview" })
  }`;
}

function messageOf(message: Message & { at: number }, now: number, quote: Quote): string {
  return quote(message.text, {
    kind: "message",
    source: `${cleanLine(message.name, 40)}, ${ago(message.at, now)}`,
    limit: MOST.message,
  });
}

function linesOf(lines: readonly string[], limit: number): string {
  return lines.map((line) => `- ${cleanLine(line, limit)}`).join("\n");
}

function dollars(left: number | undefined): string {
  return left === undefined ? "no limit" : Math.max(0, left).toFixed(2);
}
