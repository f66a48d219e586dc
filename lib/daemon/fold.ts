import type { Fold } from "../store/journal-reading.ts";
import { apply, emptyState, fromPlain, STATE_VERSION, toPlain } from "../sweep/state.ts";
import type { SweepState } from "../sweep/state.ts";

/** How a workspace's journal becomes its state. */
export const SWEEP_FOLD: Fold<SweepState> = {
  version: STATE_VERSION,
  empty: emptyState,
  apply,
  toPlain,
  fromPlain,
};
