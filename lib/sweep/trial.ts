import type { Resources } from "./config.ts";
import type { Value } from "./value.ts";

/** One combination of a sweep as the configuration gives it, before it has an index. */
export interface PlannedTrial {
  /** The swept choices, in name order of the sweep (this order makes the experiment name). */
  params: Readonly<Record<string, Value>>;
  /** Overrides that conditions `set`. */
  extras: Readonly<Record<string, Value>>;
  /** Resources that conditions change for this trial. */
  resources: Partial<Resources>;
  /** Unique within the sweep by construction. */
  name: string;
  /** Names of the conditions that changed something about this trial, in order. */
  conditions: readonly string[];
}

/** A trial of the sweep. Its index is never used again for another one. */
export interface Trial extends PlannedTrial {
  index: number;
  /** Identity of the swept choice: 12 hex digits. */
  key: string;
  /** Set when the configuration no longer contains the trial; its record and files stay. */
  dropped?: boolean;
}
