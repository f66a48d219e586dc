import type { ToolUse } from "./turn.ts";

/** What an agent does with tools in one turn; it may be thousands of uses, each told of many times. */
export interface ToolUses {
  /** Takes what was told of one into account; all of them, in the order in which they began. */
  take(told: { id: string } & Partial<ToolUse>): readonly ToolUse[];
  isAnyRunning(): boolean;
}

export function createToolUses(): ToolUses {
  const places = new Map<string, number>();
  let uses: readonly ToolUse[] = [];
  let running = 0;

  return {
    take(told) {
      const place = places.get(told.id) ?? uses.length;
      const known = uses[place];
      const next: ToolUse = {
        id: told.id,
        title: told.title ?? known?.title ?? "a tool",
        kind: told.kind ?? known?.kind ?? "other",
        status: told.status ?? known?.status ?? "running",
      };
      running += Number(next.status === "running") - Number(known?.status === "running");
      places.set(told.id, place);
      // Whoever has the list of before keeps it.
      const copy = uses.slice();
      copy[place] = next;
      return uses = copy;
    },
    isAnyRunning: () => running > 0,
  };
}
