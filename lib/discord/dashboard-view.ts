import { fit, visible } from "../base/width.ts";
import { clockText } from "../sweep/view.ts";
import { totalsText } from "../words/amount-text.ts";
import { keepBeginning, quoted } from "../words/post-text.ts";
import { phaseName } from "../words/phase-text.ts";
import { encodeButton } from "./button-id.ts";
import type { DashboardFacts } from "./dashboard-facts.ts";
import type { Button, Embed, Outgoing } from "./message.ts";
import { codeBlock, ruleText } from "./safe-text.ts";

const COLORS = {
  running: 0x2ea043,
  failed: 0xd29922,
  halted: 0xda3633,
  rules: 0x8b949e,
  offline: 0x30363d,
  done: 0x1f6feb,
} as const;

const EMOJI: Readonly<Record<string, string>> = {
  running: "▶️",
  queued: "⏳",
  submitted: "📨",
  completed: "✅",
  failed: "⚠️",
  cancelled: "🚫",
  pruned: "✂️",
  paused: "⏸️",
  ready: "💤",
  unknown: "❔",
};

/** Cells of a line that a telephone shows unbroken. */
const WIDTH = 42;

/** The one 📊 message of a sweep; `mark` is that of its channel. */
export function dashboardView(facts: DashboardFacts, mark: string): Outgoing {
  const { info, page, pages, now } = facts;
  const embed: Embed = {
    title: titleOf(facts),
    description: [progress(facts), ...attention(facts)].join("\n"),
    color: COLORS[healthOf(facts)],
    fields: [
      { name: "Trials", value: totalsField(facts), inline: true },
      { name: "Monitor", value: monitorField(facts), inline: true },
      {
        name: pages === 1 ? "What matters now" : `What matters now, page ${page + 1} of ${pages}`,
        value: table(facts),
      },
    ],
    footer: `updated ${new Date(now).toISOString().slice(11, 19)} UTC · herd ${info.version}`,
  };
  return { embeds: [embed], rows: buttons(facts, mark) };
}

/** What stays when the monitor has ended: no button would be heard. */
export function offlineView(facts: DashboardFacts, why: string): Outgoing {
  const embed: Embed = {
    title: titleOf(facts),
    description: `⚫ offline since ${stamp(facts.now)}: ${ruleText(quoted(why, 300))}\n${
      progress(facts)
    }`,
    color: facts.info.phase === "done" ? COLORS.done : COLORS.offline,
    fields: [
      { name: "Trials", value: totalsField(facts), inline: true },
      { name: "What matters now", value: table(facts) },
    ],
    footer: "herd monitor takes it up again",
  };
  return { embeds: [embed], rows: [] };
}

function titleOf({ sweep }: DashboardFacts): string {
  return `📊 ${ruleText(quoted(sweep, 120))}`;
}

function healthOf({ info, totals }: DashboardFacts): keyof typeof COLORS {
  if (info.halted !== null) return "halted";
  if (info.phase === "done") return "done";
  if ((totals["failed"] ?? 0) > 0 || !info.model.ok) return "failed";
  return info.mode === "rules" ? "rules" : "running";
}

const BAR = 20;

function progress({ totals }: DashboardFacts): string {
  const { total = 0, running = 0, ready = 0, submitted = 0, queued = 0, unknown = 0 } = totals;
  const over = total - running - ready - submitted - queued - unknown;
  const share = (n: number) => Math.round((n / Math.max(1, total)) * BAR);
  const bar = "█".repeat(share(over)).padEnd(share(over + running), "▒").padEnd(BAR, "░");
  return `\`${bar}\` ${over}/${total}`;
}

/** What waits for a person, and what does not work. */
function attention({ info, troubles }: DashboardFacts): string[] {
  const { halted, question, confirmations } = info;
  const lines = [
    ...(halted === null ? [] : [`🛑 halted: ${quoted(halted, 300)}`]),
    ...(question === null ? [] : [`❓ ${quoted(question, 300)}`]),
    ...confirmations.slice(0, 5).map(({ id, what }) =>
      `❓ ${quoted(what, 150)}: \`/confirm ${id}\` or \`/deny ${id}\``
    ),
    ...troubles.slice(0, 3).map((trouble) => `⚠️ ${quoted(trouble, 300)}`),
  ];
  return lines.map(ruleText);
}

function totalsField({ totals }: DashboardFacts): string {
  const lines = Object.entries(EMOJI).flatMap(([status, emoji]) => {
    const n = totals[status] ?? 0;
    return n === 0 ? [] : [`${emoji} ${n} ${status}`];
  });
  return lines.length === 0 ? totalsText(totals) || "none yet" : lines.join("\n");
}

function monitorField({ info }: DashboardFacts): string {
  const { phase, stage, mode, model, ticks, nextTickAt, startedAt, spent, budget } = info;
  const limit = budget.day === null ? "" : ` of $${budget.day.toFixed(2)} today`;
  const lines = [
    phaseName(phase ?? undefined, stage),
    mode === "rules" ? "rules only" : ruleText(quoted(model.name ?? "agent", 60)),
    `tick ${ticks}${nextTickAt === null ? "" : `, next ${stamp(nextTickAt)}`}`,
    ...(startedAt === null ? [] : [`up since ${stamp(startedAt)}`]),
    ...(mode === "rules" && spent.calls === 0
      ? []
      : [`$${spent.usd.toFixed(4)} spent, $${spent.today.toFixed(2)}${limit}`]),
  ];
  return keepBeginning(lines.join("\n"), 1_000);
}

/** Discord shows it in the reader's own time: "in 5 minutes". */
function stamp(at: number): string {
  return `<t:${Math.floor(at / 1000)}:R>`;
}

function table({ trials }: DashboardFacts): string {
  if (trials.length === 0) return "No trials.";
  const digits = Math.max(...trials.map(({ index }) => `${index}`.length));
  const widest = Math.max(...trials.map(({ status }) => status.length));
  const rows = trials.map((trial) => {
    const { index, status, experiment_name: name } = trial;
    const elapsed = trial["elapsed_seconds"];
    const time = typeof elapsed === "number" ? clockText(elapsed) : "";
    const say = `${trial["note"] ?? ""}` || `${trial["last_log_line"] ?? ""}`;
    const head = `${`${index}`.padStart(digits)} ${status.padEnd(widest)} ${time.padStart(7)} `;
    const rest = [name, say].filter((part) => part !== "" && part !== "null").join(" · ");
    return fit(`${head}${visible(rest.replace(/\s+/g, " "))}`, WIDTH);
  });
  for (let n = rows.length; n > 0; n--) {
    const block = codeBlock(rows.slice(0, n).join("\n"));
    if (block.length <= 1_000) return block;
  }
  return "No room for the table: `/status` shows it.";
}

function buttons({ info, page, pages, totals }: DashboardFacts, mark: string): Button[][] {
  const make = (action: string, args: string[], more: Omit<Button, "id">): Button[] => {
    const id = encodeButton({ action, sweep: mark, args });
    return id === undefined ? [] : [{ id, ...more }];
  };
  const row = [
    ...(pages === 1 ? [] : [
      ...make("page", [`${page - 1}`], {
        label: "◀",
        style: "secondary",
        disabled: page === 0,
      }),
      ...make("page", [`${page + 1}`], {
        label: "▶",
        style: "secondary",
        disabled: page + 1 >= pages,
      }),
    ]),
    ...make("refresh", [], { label: "Refresh", emoji: "🔄", style: "secondary" }),
    ...(info.halted === null ? [] : make("continue", [], { label: "Continue", style: "success" })),
    ...((totals["failed"] ?? 0) === 0
      ? []
      : make("failed", [], { label: "Run failed ones", style: "primary" })),
  ];
  return [row];
}
