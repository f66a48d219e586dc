import type { ToolCounts, ToolUse, Turn } from "./turn.ts";

type Tools = Pick<Turn, "tools" | "earlierTools">;

/** Uses of one turn whose titles are kept; an agent may report thousands. */
const MOST = 100;

const NONE: ToolCounts = { completed: 0, failed: 0 };

/** The tools of a turn after the agent told of one. */
export function withTool(
  { tools, earlierTools }: Tools,
  use: { id: string } & Partial<ToolUse>,
): Tools {
  const at = tools.findLastIndex(({ id }) => id === use.id);
  const known = tools[at];
  const next: ToolUse = {
    id: use.id,
    title: use.title ?? known?.title ?? "a tool",
    kind: use.kind ?? known?.kind ?? "other",
    status: use.status ?? known?.status ?? "running",
  };
  if (at >= 0) return { tools: tools.with(at, next) };
  if (tools.length < MOST) return { tools: [...tools, next] };
  // Who runs is of more interest than who is done; but somebody has to go.
  const gone = Math.max(0, tools.findIndex(({ status }) => status !== "running"));
  const counts = plus(earlierTools ?? NONE, [tools[gone]!]);
  return { tools: [...tools.toSpliced(gone, 1), next], earlierTools: counts };
}

/** When a turn is over nothing runs: what had no end of its own has the turn's. */
export function closedTools(
  { tools, earlierTools }: Tools,
  isDone: boolean,
): { tools: readonly ToolUse[]; counts: ToolCounts } {
  const status = isDone ? "completed" : "failed";
  const closed = tools.map((one) => one.status === "running" ? { ...one, status } as const : one);
  return { tools: closed, counts: plus(earlierTools ?? NONE, closed) };
}

function plus({ completed, failed }: ToolCounts, tools: readonly ToolUse[]): ToolCounts {
  const lost = tools.filter(({ status }) => status === "failed").length;
  return { completed: completed + tools.length - lost, failed: failed + lost };
}
