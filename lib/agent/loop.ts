import type {
  ContentBlockParam,
  MessageParam,
  ToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/messages";
import type { ThinkRequest, Thought } from "./agent.ts";
import { modelBlocks, textBlock } from "./conversation.ts";
import { type Asked, type AskParts, createAsker } from "./ask.ts";
import type { ModelReply, ToolCall } from "./model-call.ts";
import { failure } from "./model-failure.ts";
import { createToolRunner, TOOL_LIMIT_MS } from "./run-tools.ts";
import type { ToolResult } from "./tool.ts";

export interface LoopParts extends AskParts {
  toolLimitMs?: number | undefined;
}

const LAST_CALL = "This is your last turn: give your final answer now, in words, without tools.";

/** One turn of thinking: asks, runs the tools that are called, asks again, until it is done. Never throws. */
export async function runLoop(parts: LoopParts, request: ThinkRequest): Promise<Thought> {
  const progress = { text: "" };
  try {
    return await think(parts, request, progress);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const problem = failure("unreadable", `The agent stopped on an unexpected error: ${why}`);
    return { kind: "failed", failure: problem, text: progress.text };
  }
}

async function think(
  parts: LoopParts,
  request: ThinkRequest,
  progress: { text: string },
): Promise<Thought> {
  const { signal } = request;
  const asker = createAsker(parts, request);
  const limitMs = parts.toolLimitMs ?? TOOL_LIMIT_MS;
  const tools = createToolRunner(request, { clock: parts.clock, limitMs });
  const turns = Math.max(1, Math.min(parts.settings.maxTurns, request.maxTurns ?? Infinity));
  const teller = createTeller(request);
  let messages: MessageParam[] = [...request.history ?? [], userSays(...wanted(request))];
  /** What an answer that was cut had said; the next one goes on from there. */
  let before = "";
  let wasCut = false;

  for (let turn = 1; turn <= turns; turn++) {
    teller.whole(messages);
    const asked = await asker.ask(messages, (text) => teller.says(before + text));
    if (isTooLong(asked)) {
      const shorter = request.shorten?.(messages);
      if (shorter !== undefined && !signal.aborted) {
        messages = [...shorter];
        continue;
      }
    }
    if (asked.kind !== "reply") return stopped(asked, before, progress.text);
    const { reply } = asked;
    const said = before + reply.text;
    if (said.trim() !== "") progress.text = said.trim();
    before = "";
    if (reply.content.length > 0) {
      messages.push({ role: "assistant", content: [...reply.content] });
    }
    const end = endOf(reply, wasCut, progress.text);
    const late = end?.kind === "answered" && turn < turns ? request.said?.(true) ?? [] : [];
    if (end !== undefined && late.length === 0) {
      if (reply.calls.length === 0) teller.whole(messages);
      return end;
    }
    // A cut answer goes on in the same paragraph.
    if (reply.stop !== "length" || reply.calls.length > 0) teller.paragraph(said);

    if (reply.calls.length === 0 && reply.stop === "paused") continue;
    const results = await tools.run(reply.calls);
    const content = [...resultBlocks(reply.calls, results, signal), ...late.map(textBlock)];
    if (signal.aborted) {
      if (content.length > 0) teller.whole([...messages, userSays(...content)]);
      return { kind: "aborted", text: progress.text };
    }
    if (reply.stop === "length") {
      wasCut = true;
      if (reply.calls.length === 0) before = said;
      content.push(textBlock(cutNote(reply, parts.settings.maxTokens)));
    }
    content.push(...(request.said?.(false) ?? []).map(textBlock));
    if (turn + 1 === turns) content.push(textBlock(LAST_CALL));
    messages.push(userSays(...content));
  }
  teller.whole(messages);
  return { kind: "out-of-turns", text: progress.text };
}

function wanted({ prompt, blocks }: ThinkRequest): ContentBlockParam[] {
  return blocks === undefined || blocks.length === 0 ? [textBlock(prompt)] : modelBlocks(blocks);
}

function isTooLong(asked: Asked): boolean {
  return asked.kind === "failed" && asked.failure.isTooLong === true ||
    asked.kind === "reply" && asked.reply.stop === "too-long";
}

/** Tells what is said; who listens does not stop the work. */
function createTeller(request: ThinkRequest) {
  let told = "";
  const add = (text: string) => [told, text.trim()].filter((one) => one !== "").join("\n\n");
  const quietly = (work: () => void) => {
    try {
      work();
    } catch {
      // It is theirs.
    }
  };
  return {
    says(text: string): void {
      quietly(() => request.onText?.(text));
      quietly(() => request.onAnswer?.(add(text)));
    },
    paragraph(text: string): void {
      told = add(text);
    },
    whole: (messages: readonly MessageParam[]) =>
      quietly(() => request.onConversation?.([...messages])),
  };
}

/** Undefined when it goes on: with the results of its tools, or because it was cut short for the first time. */
function endOf(reply: ModelReply, wasCut: boolean, text: string): Thought | undefined {
  if (reply.stop === "refused") return { kind: "refused", text };
  if (reply.stop === "too-long") {
    const message = "The conversation became longer than the model can read";
    const problem = failure("rejected", message, { isTooLong: true });
    return { kind: "failed", failure: problem, text };
  }
  if (reply.stop === "paused") return undefined;
  if (reply.stop === "length") return wasCut ? { kind: "out-of-turns", text } : undefined;
  return reply.calls.length === 0 ? { kind: "answered", text } : undefined;
}

function stopped(asked: Exclude<Asked, { kind: "reply" }>, before: string, text: string): Thought {
  const partial = "text" in asked ? (before + asked.text).trim() : "";
  const said = partial === "" ? text : partial;
  return asked.kind === "failed"
    ? { kind: "failed", failure: asked.failure, text: said }
    : { kind: asked.kind, text: said };
}

function cutNote(reply: ModelReply, limit: number): string {
  const what = reply.halfCall === undefined
    ? "Go on exactly where it ended, and be brief."
    : `The call of ${reply.halfCall} was not complete and was not run. Send it again, shorter.`;
  return `Your answer was cut off at the limit of ${limit} tokens. ${what}`;
}

function resultBlocks(
  calls: readonly ToolCall[],
  results: readonly ToolResult[],
  signal: AbortSignal,
): ContentBlockParam[] {
  const missing = signal.aborted ? "Not run: the turn was stopped" : "(no output)";
  return calls.map((call, i): ToolResultBlockParam => ({
    type: "tool_result",
    tool_use_id: call.id,
    content: results[i]?.text || missing,
    is_error: results[i]?.isError ?? true,
  }));
}

function userSays(...content: ContentBlockParam[]): MessageParam {
  return { role: "user", content };
}
