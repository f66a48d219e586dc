import { cleanLine } from "../agent/quote-data.ts";
import { z } from "../base/schema.ts";
import { MOST_RESULT } from "./result-file.ts";

const words = z.string().nullish().catch(undefined);

/** A `session/update`, read with patience: new kinds come with every version of the protocol. */
export const acpUpdateSchema = z.object({
  sessionId: z.string(),
  update: z.object({
    sessionUpdate: z.string(),
    content: z.unknown().optional(),
    messageId: words,
    title: words,
    name: words,
    kind: words,
    status: words,
    cost: z.unknown().optional(),
  }),
});
export type AcpUpdate = z.infer<typeof acpUpdateSchema>["update"];

const textBlock = z.object({ type: z.literal("text"), text: z.string() });

/** Follows what an agent says and does. */
export interface AcpUpdates {
  add(update: AcpUpdate): void;
  /** The last answer: what was said since the last tool was called, else all that was said. */
  answer(): string;
  /** All that was said. */
  said(): string;
}

export function createAcpUpdates(
  { log, at }: { log(text: string): void; at(phase: string): void },
): AcpUpdates {
  let before = "";
  let last = "";
  let messageId: string | undefined;

  function startAnother(): void {
    if (last !== "") before += `${last}\n\n`;
    last = "";
  }

  function say({ content, messageId: id }: AcpUpdate): void {
    const block = textBlock.safeParse(content);
    if (!block.success) return;
    if (id && messageId !== undefined && id !== messageId) startAnother();
    messageId = id ?? messageId;
    log(block.data.text);
    // Memory of ours is not theirs to fill.
    if (before.length + last.length < MOST_RESULT) last += block.data.text;
  }

  return {
    add(update) {
      switch (update.sessionUpdate) {
        case "agent_message_chunk":
          at("answering");
          return say(update);
        case "agent_thought_chunk":
          return at("thinking");
        case "tool_call":
          startAnother();
          at(`tool ${cleanLine(update.name ?? update.kind ?? "other", 40)}`);
          return log(`\n\n[${cleanLine(update.title ?? "tool", 400)}]\n`);
        case "tool_call_update":
          if (update.status === "failed") log("\n[failed]\n");
      }
    },
    answer: () => last.trim() === "" ? before.trim() : last.trim(),
    said: () => `${before}${last}`.trim(),
  };
}
