import type { Spot } from "./report.ts";

/** A scalar as it stands in the file: nothing is resolved yet, so no digit is lost. */
export interface ScalarNode extends Spot {
  kind: "scalar";
  text: string;
  /** Written without quotes (and not as a block), so that it may mean a number, a boolean or null. */
  plain: boolean;
  /** Line and column of the character `index` of `text` in the file. */
  spotOf(index: number): Spot;
}

export interface ListNode extends Spot {
  kind: "list";
  items: readonly Node[];
}

export interface Entry {
  key: string;
  at: Spot;
  value: Node;
}

export interface MappingNode extends Spot {
  kind: "mapping";
  entries: readonly Entry[];
  /** Where to point at when something is missing in here: the mapping's own key, or its start. */
  head: Spot;
}

export type Node = ScalarNode | ListNode | MappingNode;
