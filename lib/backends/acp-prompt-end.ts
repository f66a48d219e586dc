import { cleanLine } from "../agent/quote-data.ts";
import { z } from "../base/schema.ts";
import type { Block, PromptEnd } from "../chat/agent-session.ts";
import type { TurnFailure } from "../chat/turn.ts";
import { turnFailure } from "./converser-parts.ts";

const answer = z.object({ stopReason: z.string() });

/** A block as the protocol has it. */
export function contentOf(block: Block, images: boolean): Record<string, unknown> {
  if (block.type === "text") return { type: "text", text: block.text.toWellFormed() };
  return images
    ? { type: "image", mimeType: block.mimeType, data: block.data }
    : { type: "text", text: "[A picture was attached; this agent takes none]" };
}

/** How a prompt ended, by the agent's answer to it. */
export function endOf(value: unknown, text: string): PromptEnd {
  const read = answer.safeParse(value);
  const failed = (kind: TurnFailure["kind"], message: string): PromptEnd => ({
    kind: "failed",
    failure: turnFailure(kind, message),
    text,
  });
  if (!read.success) return failed("protocol", "The agent's answer to the prompt cannot be read");
  const { stopReason } = read.data;
  switch (stopReason) {
    case "end_turn":
      return { kind: "done", text };
    case "cancelled":
      return { kind: "cancelled", text };
    case "refusal":
      return failed("refused", "The agent declines to answer");
    case "max_tokens":
    case "max_turn_requests":
      return failed("model", `The agent stopped at its limit (${stopReason})`);
    default:
      return failed("protocol", `The agent stopped by itself (${cleanLine(stopReason, 60)})`);
  }
}
