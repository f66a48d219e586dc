import { type AnswerStyle, type Rendered, renderTurn } from "../chat/answer.ts";
import type { TurnRecord } from "../chat/chat-state.ts";
import { stateOf } from "../chat/turns.ts";
import type { ToolUse, Turn } from "../chat/turn.ts";
import { encodeButton } from "./button-id.ts";
import type { Button, Id, Outgoing } from "./message.ts";
import { fileOf } from "./post-view.ts";

/** What a turn's messages are to be, in order; the first is the one that grew. */
export function viewOfTurn(
  turn: Turn,
  { style, mark, pings }: { style: AnswerStyle; mark: string; pings: readonly Id[] },
): readonly Outgoing[] {
  const rendered = renderTurn(turn, style);
  const rows = rowsOf(turn, rendered, mark);
  const texts = rendered.messages.map((content): Outgoing => ({ content }));
  const last = texts.length - 1;
  const messages = texts.map((one, i): Outgoing => ({
    ...one,
    // An earlier form of it may have had buttons.
    rows: i === last ? rows : [],
    ...(rendered.final && pings.length > 0 ? { pings: { users: pings } } : {}),
  }));
  const { file } = rendered;
  return file === undefined ? messages : [...messages, { files: [fileOf(file.name, file.text)] }];
}

/** A turn that is over as the journal has it, where nobody saw it while it ran. */
export function turnOfRecord(record: TurnRecord, conversation: string, by: string): Turn {
  const { id, messages, begunAt } = record;
  const ending = record.ending!;
  const { tools = { completed: 0, failed: 0 } } = ending;
  return {
    id,
    conversation,
    messages: messages.map(({ arrival }) => arrival.id),
    state: stateOf(ending, by),
    startedAt: begunAt,
    activeAt: begunAt + ending.tookMs,
    tools: [...toolsOf(tools.completed, "completed"), ...toolsOf(tools.failed, "failed")],
    text: ending.text,
    use: ending.use,
  };
}

function toolsOf(count: number, status: ToolUse["status"]): ToolUse[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `${status}${i}`,
    title: "a tool",
    kind: "other",
    status,
  }));
}

function rowsOf(turn: Turn, { details }: Rendered, mark: string): Button[][] {
  const which = turn.state.kind === "asking" ? [turn.state.question ?? ""] : [];
  const button = (action: string, label: string, style: Button["style"]): Button[] => {
    const id = encodeButton({ action, sweep: mark, args: [turn.conversation, turn.id, ...which] });
    return id === undefined ? [] : [{ id, label, style }];
  };
  const row = turn.state.kind === "asking"
    ? [
      ...button("allow", "Once", "primary"),
      ...button("always", "Always in this conversation", "secondary"),
      ...button("refuse", "Deny", "danger"),
      ...button("details", "Details", "secondary"),
    ]
    : turn.state.kind === "stuck"
    ? [...button("wait", "Wait on", "secondary"), ...button("stop", "Stop", "danger")]
    : details === undefined
    ? []
    : button("details", "Details", "secondary");
  return row.length === 0 ? [] : [row];
}

/** Whom an answer may ping: people and bots of the conversation whom it mentions, nobody else. */
export function pingsIn(text: string, known: ReadonlySet<Id>): readonly Id[] {
  const named = [...text.matchAll(/<@!?(\d{1,20})>/g)].map(([, id]) => id!);
  return [...new Set(named)].filter((id) => known.has(id)).slice(0, 20);
}
