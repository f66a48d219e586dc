import type { Agent, Thought } from "../agent/agent.ts";
import { type ModelMessage, withFewPictures } from "../agent/conversation.ts";
import { shortenConversation } from "../agent/shorten-conversation.ts";
import type { Tool } from "../agent/tool.ts";
import type { Block, PromptEnd, PromptHooks, SessionHooks } from "../chat/agent-session.ts";
import { apiFailure } from "./api-failure.ts";
import { askedTools, toldTools } from "./asked-tools.ts";
import { turnFailure } from "./converser-parts.ts";
import { remembered } from "./remembered.ts";
import type { ToolSet } from "./tools/tool-set.ts";
import { createTranscript } from "./transcript.ts";
import { createUseSum } from "./use-sum.ts";

export interface ApiTalkParts {
  /** As it is chosen now; else why it cannot be asked. */
  agent(): Agent | { refused: string };
  system: string;
  toolSet: ToolSet;
  /** They keep their own rules. */
  ownTools: readonly Tool[];
  permission: SessionHooks["permission"];
  log(text: string): void;
  /** What was said before. */
  history: readonly ModelMessage[];
}

/** The prompts of one conversation with a model, and its memory in between. */
export interface ApiTalk {
  prompt(blocks: readonly Block[], hooks: PromptHooks): Promise<PromptEnd>;
  /** False when no prompt runs that could still take it. */
  steer(text: string): boolean;
  /** Of what is remembered; a prompt that runs remembers its own. */
  change(how: (messages: readonly ModelMessage[]) => ModelMessage[]): void;
  end(): Promise<void>;
}

/** Each picture is sent again in each call. Characters of Base64: servers take some 32 MB. */
const PICTURES = { count: 20, units: 16 * 1024 * 1024 };
const FORGOT =
  "*(The beginning of this conversation was left out: it became longer than the model " +
  "can read.)*";

export function createApiTalk(parts: ApiTalkParts): ApiTalk {
  const closing = new AbortController();
  let history: ModelMessage[] = [...parts.history];
  let running: { said: string[]; isOpen: boolean; ended: Promise<unknown> } | undefined;
  /** Said into a turn that failed before the model heard it. */
  let unheard: string[] = [];
  let tools = 0;

  async function run(
    blocks: readonly Block[],
    hooks: PromptHooks,
    own: { said: string[]; isOpen: boolean },
  ): Promise<PromptEnd> {
    const agent = parts.agent();
    if ("refused" in agent) {
      return { kind: "failed", failure: turnFailure("refused", agent.refused), text: "" };
    }
    const before = history;
    const signal = AbortSignal.any([hooks.signal, closing.signal]);
    const sum = createUseSum(hooks.onUse);
    const transcript = createTranscript(parts.log);
    let whole: readonly ModelMessage[] = before;
    let forgot = false;
    let answer = "";
    const shown = () => forgot ? `${FORGOT}\n\n${answer}`.trim() : answer;
    const given = { ...hooks, permission: parts.permission, nextId: () => `tool-${++tools}` };
    const thought = await agent.think({
      purpose: "conversation",
      system: parts.system,
      prompt: "",
      blocks: [...unheard.map((text) => ({ type: "text", text }) as const), ...blocks],
      history: before,
      tools: [...askedTools(parts.toolSet.tools, given), ...toldTools(parts.ownTools, given)],
      budgetUsd: undefined,
      signal,
      onUse: sum.add,
      onText: transcript.said,
      onTool(call) {
        transcript.used(call);
        hooks.onThought();
      },
      onThought: hooks.onThought,
      onAnswer(text) {
        answer = text;
        hooks.onText(shown());
      },
      onConversation(messages) {
        whole = messages;
        unheard = [];
      },
      said(isEnd) {
        const now = own.said.splice(0);
        if (isEnd && now.length === 0) own.isOpen = false;
        return now;
      },
      shorten(messages) {
        const shorter = shortenConversation(messages);
        forgot ||= shorter !== undefined;
        return shorter;
      },
    });
    own.isOpen = false;
    // A tool that was interrupted may still be ending its program.
    await parts.toolSet.settled();
    unheard.push(...own.said);
    if (answer === "") answer = thought.text;
    history = withFewPictures(remembered(thought, { before, whole }), PICTURES);
    return endOf(thought, shown());
  }

  return {
    async prompt(blocks, hooks) {
      if (closing.signal.aborted) return failed("gone", "The conversation was ended");
      if (running !== undefined) return failed("protocol", "The agent is at another prompt");
      const own = { said: [] as string[], isOpen: true };
      const ended = run(blocks, hooks, own).catch((error: unknown) =>
        failed("protocol", `The turn stopped: ${error instanceof Error ? error.message : error}`)
      );
      // The same object, not its copy: what is said goes into the turn.
      running = Object.assign(own, { ended });
      try {
        return await ended;
      } finally {
        running = undefined;
      }
    },
    steer(text) {
      if (running?.isOpen !== true || closing.signal.aborted) return false;
      running.said.push(text);
      return true;
    },
    change(how) {
      history = how(history);
    },
    async end() {
      closing.abort();
      await running?.ended;
    },
  };
}

function endOf(thought: Thought, text: string): PromptEnd {
  switch (thought.kind) {
    case "answered":
      return { kind: "done", text };
    case "aborted":
      return { kind: "cancelled", text };
    case "refused":
      return failed("refused", "The model declines to answer", text);
    case "failed":
      return { kind: "failed", failure: apiFailure(thought.failure), text };
    case "out-of-turns": {
      const message = "The model came to no end within its calls, or its answer was too long";
      const failure = turnFailure("model", message, { hint: "Say that it should go on" });
      return { kind: "failed", failure, text };
    }
    case "out-of-budget":
      return failed("budget", "The budget is used up", text);
  }
}

function failed(
  kind: Parameters<typeof turnFailure>[0],
  message: string,
  text = "",
): PromptEnd {
  return { kind: "failed", failure: turnFailure(kind, message), text };
}
