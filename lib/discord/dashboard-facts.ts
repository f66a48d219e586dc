import type { Desk, InfoDocument, TrialDocument } from "../actions/desk.ts";

/** What a dashboard shows, as data. */
export interface DashboardFacts {
  info: InfoDocument;
  totals: Readonly<Record<string, number>>;
  /** Those of this page, what matters most first. */
  trials: readonly TrialDocument[];
  /** Counts from 0. */
  page: number;
  pages: number;
  sweep: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** What is out, in sentences. */
  troubles: readonly string[];
}

/** Rows of a table that a telephone shows without scrolling for long. */
export const DASHBOARD_ROWS = 12;

/** Failed ones first, then what runs or waits, then what is over; the rest only counts. */
const ORDER = [
  ["failed"],
  ["running", "submitted", "unknown"],
  ["queued"],
  ["paused", "pruned", "cancelled"],
  ["completed"],
  ["ready"],
] as const;

/** Reads one page; asks only for the trials that are on it. */
export function dashboardFacts(desk: Desk, page: number, now: number): DashboardFacts {
  const info = desk.info();
  const { totals, total } = desk.status({ limit: 1 });
  const pages = Math.max(1, Math.ceil(total / DASHBOARD_ROWS));
  const shown = Math.min(page, pages - 1);
  return {
    info,
    totals,
    trials: pageOf(desk, shown * DASHBOARD_ROWS),
    page: shown,
    pages,
    sweep: info.sweep,
    now,
    troubles: info.model.ok ? [] : [`The model does not answer: ${info.model.detail}`],
  };
}

function pageOf(desk: Desk, from: number): TrialDocument[] {
  const found: TrialDocument[] = [];
  let skip = from;
  for (const statuses of ORDER) {
    const room = DASHBOARD_ROWS - found.length;
    if (room === 0) break;
    const { items, total } = desk.status({ statuses, offset: skip, limit: room });
    found.push(...items);
    skip = Math.max(0, skip - total);
  }
  return found;
}
