import type { Page } from "../actions/desk.ts";

const USUAL = 100;
/** However much is asked for: a page is read by a person, a model or one HTTP client. */
const MOST = 1000;

export interface PageQuery {
  offset?: number;
  limit?: number;
}

/** The part of a list that was asked for. Numbers that make no sense give the nearest that do. */
export function pageOf<T>(all: readonly T[], { offset = 0, limit = USUAL }: PageQuery): Page<T> {
  const from = whole(offset, 0, all.length);
  return { items: all.slice(from, from + whole(limit, 0, MOST)), total: all.length, offset: from };
}

/** A whole number between two others; `least` for what is no number. */
export function whole(n: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.floor(n) || least));
}
