import type { AgentSession, Block, PromptEnd } from "../../lib/chat/agent-session.ts";
import type { TurnUse } from "../../lib/chat/turn.ts";

export interface Heard {
  end: PromptEnd;
  /** The answer as it grew. */
  texts: string[];
  /** "ID TITLE KIND STATUS". */
  tools: string[];
  uses: TurnUse[];
}

/** One prompt to its end, and all that was heard meanwhile. */
export async function ask(
  session: AgentSession,
  said: string | readonly Block[],
  { signal = new AbortController().signal, onText, onTool }: {
    signal?: AbortSignal;
    onText?: (text: string) => void;
    onTool?: (line: string) => void;
  } = {},
): Promise<Heard> {
  const heard: Omit<Heard, "end"> = { texts: [], tools: [], uses: [] };
  const blocks = typeof said === "string" ? [{ type: "text", text: said } as const] : said;
  const end = await session.prompt(blocks, {
    signal,
    onText(text) {
      heard.texts.push(text);
      onText?.(text);
    },
    onTool({ id, title = "", kind = "", status }) {
      const line = `${id} ${title} ${kind} ${status}`.replace(/ +/g, " ");
      heard.tools.push(line);
      onTool?.(line);
    },
    onThought() {},
    onUse: (use) => void heard.uses.push(use),
  });
  return { ...heard, end };
}
