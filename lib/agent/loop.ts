import type {
  ContentBlockParam,
  MessageParam,
  ToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/messages";
import type { ThinkRequest, Thought } from "./agent.ts";
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
  const messages: MessageParam[] = [userSays(textBlock(request.prompt))];
  /** What an answer that was cut had said; the next one goes on from there. */
  let before = "";
  let wasCut = false;

  for (let turn = 1; turn <= turns; turn++) {
    const asked = await asker.ask(messages, (text) => showText(request, before + text));
    if (asked.kind !== "reply") return stopped(asked, before, progress.text);
    const { reply } = asked;
    const said = before + reply.text;
    if (said.trim() !== "") progress.text = said.trim();
    before = "";
    if (reply.content.length > 0) {
      messages.push({ role: "assistant", content: [...reply.content] });
    }
    const end = endOf(reply, wasCut, progress.text);
    if (end !== undefined) return end;

    if (reply.calls.length === 0 && reply.stop === "paused") continue;
    const results = await tools.run(reply.calls);
    if (signal.aborted) return { kind: "aborted", text: progress.text };
    const content = resultBlocks(reply.calls, results);
    if (reply.stop === "length") {
      wasCut = true;
      if (reply.calls.length === 0) before = said;
      content.push(textBlock(cutNote(reply, parts.settings.maxTokens)));
    }
    if (turn + 1 === turns) content.push(textBlock(LAST_CALL));
    messages.push(userSays(...content));
  }
  return { kind: "out-of-turns", text: progress.text };
}

/** Undefined when it goes on: with the results of its tools, or because it was cut short for the first time. */
function endOf(reply: ModelReply, wasCut: boolean, text: string): Thought | undefined {
  if (reply.stop === "refused") return { kind: "refused", text };
  if (reply.stop === "too-long") {
    const problem = failure("rejected", "The conversation became longer than the model can read");
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
): ContentBlockParam[] {
  return calls.map((call, i): ToolResultBlockParam => ({
    type: "tool_result",
    tool_use_id: call.id,
    content: results[i]?.text || "(no output)",
    is_error: results[i]?.isError ?? true,
  }));
}

function textBlock(text: string): ContentBlockParam {
  // The API refuses empty text.
  return { type: "text", text: text.trim() === "" ? "(nothing)" : text.toWellFormed() };
}

function userSays(...content: ContentBlockParam[]): MessageParam {
  return { role: "user", content };
}

function showText(request: ThinkRequest, text: string): void {
  try {
    request.onText?.(text);
  } catch {
    // Who listens does not stop the work.
  }
}
