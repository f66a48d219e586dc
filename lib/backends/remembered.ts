import type { Thought } from "../agent/agent.ts";
import { blocksOf, closed, type ModelMessage, plainConversation } from "../agent/conversation.ts";

/** What the conversation is after a turn: it ends with an answer, whatever happened. */
export function remembered(
  thought: Thought,
  { before, whole }: { before: readonly ModelMessage[]; whole: readonly ModelMessage[] },
): ModelMessage[] {
  switch (thought.kind) {
    case "answered":
      return closed(whole, "(no answer)");
    // What was declined is declined again as long as it is there.
    case "refused":
      return [...before];
    case "aborted":
      return closed(whole, withPartial(thought, whole, "(stopped by a person)"));
    case "out-of-turns":
    case "out-of-budget":
      return closed(whole, "(stopped at a limit)");
    case "failed": {
      const { kind, isTooLong } = thought.failure;
      const all = closed(whole, withPartial(thought, whole, "(the answer failed)"));
      // Something in it that the server does not take, such as a picture, must not fail every turn from now on.
      return kind === "rejected" && isTooLong !== true ? plainConversation(all) : all;
    }
  }
}

function withPartial(
  { text }: Thought,
  whole: readonly ModelMessage[],
  note: string,
): string {
  const last = whole.findLast(({ role }) => role === "assistant");
  const known = last !== undefined &&
    blocksOf(last).some((block) => block.type === "text" && block.text.trim() === text);
  return text === "" || known ? note : `${text}\n\n${note}`;
}
