import { cleanLine } from "../agent/quote-data.ts";
import type { Tool, ToolResult } from "../agent/tool.ts";
import type { PermissionRequest, PromptHooks, SessionHooks } from "../chat/agent-session.ts";
import { exactly, toolRequest } from "./tool-request.ts";

export interface AskedToolsParts {
  permission: SessionHooks["permission"];
  onTool: PromptHooks["onTool"];
  /** Unique within the conversation. */
  nextId(): string;
}

/** Tools of one prompt that are asked for before they run, and told of while they do. */
export function askedTools(tools: readonly Tool[], parts: AskedToolsParts): Tool[] {
  /** What was denied in this prompt is not asked for again and again. */
  const denied = new Set<string>();
  return tools.map((tool) => ({
    ...tool,
    async run(sent, signal) {
      const read = tool.read?.(sent) ?? { input: sent };
      // A mistake of the model's is nothing that a person decides on.
      if ("mistake" in read) return { text: read.mistake, isError: true };
      const { input } = read;
      const request = toolRequest(tool.name, input);
      const id = parts.nextId();
      const refused = await refusal(request, input, signal);
      if (refused !== undefined) {
        parts.onTool({ id, title: request.title, kind: request.kind, status: "failed" });
        return { text: refused, isError: true };
      }
      return await told(request, id, () => tool.run(input, signal), parts);
    },
  }));

  async function refusal(
    request: PermissionRequest,
    input: unknown,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const key = exactly(`${request.kind} ${JSON.stringify(input)}`);
    if (denied.has(key)) {
      return "Not run: this very call was denied before, do not send it again; " +
        "go on without it, or say what you need it for and end your turn";
    }
    // Who was asked and failed has not said yes.
    const answer = await parts.permission(request, signal).catch(() => "deny" as const);
    if (signal.aborted) return "Not run: the turn was stopped";
    if (answer !== "deny") return undefined;
    denied.add(key);
    return "Not run: it was denied. Do not try to do the same in another way; go on without it, " +
      "or say what you need it for and end your turn";
  }
}

/** Tools that keep their own rules, told of while they run. */
export function toldTools(
  tools: readonly Tool[],
  parts: Pick<AskedToolsParts, "onTool" | "nextId">,
): Tool[] {
  return tools.map((tool) => ({
    ...tool,
    run(input, signal) {
      const title = cleanLine(`${tool.name} ${JSON.stringify(input) ?? ""}`, 200);
      const request = { title, kind: "other" } as const;
      return told(request, parts.nextId(), () => tool.run(input, signal), parts);
    },
  }));
}

async function told(
  { title, kind }: Pick<PermissionRequest, "title" | "kind">,
  id: string,
  run: () => Promise<ToolResult>,
  { onTool }: Pick<AskedToolsParts, "onTool">,
): Promise<ToolResult> {
  onTool({ id, title, kind, status: "running" });
  let isError = true;
  try {
    const result = await run();
    ({ isError } = result);
    return result;
  } finally {
    onTool({ id, status: isError ? "failed" : "completed" });
  }
}
