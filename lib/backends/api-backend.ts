import type { Agent, ThinkRequest, Thought } from "../agent/agent.ts";
import type { Patience } from "../agent/ask.ts";
import { priceOf } from "../agent/cost.ts";
import { explain } from "../base/explain.ts";
import { AGENT_DEFAULTS } from "../sweep/read-monitor.ts";
import type { AgentSettings } from "../sweep/config.ts";
import type { Backend, Work, WorkEnd } from "../tasks/backend.ts";
import type { BackendParts } from "./backend-parts.ts";
import { createProgress } from "./progress.ts";
import { readResult, RESULT_FILE } from "./result-file.ts";
import { LONGEST_SHELL } from "./tools/shell.ts";
import { createToolSet, sandboxProblem, type ToolSet } from "./tools/tool-set.ts";
import { createTranscript, type Transcript } from "./transcript.ts";

/** A server that is out for minutes costs an hour's work when nobody waits for it. */
export const API_PATIENCE: Patience = { tries: 8, longestMs: 120_000 };
/** The shell ends itself before; this is the backstop. */
export const API_TOOL_LIMIT_MS = (LONGEST_SHELL + 120) * 1000;
const MAX_TURNS = 200;
/** Models that think say nothing for long. Seconds. */
const SILENCE_SECONDS = 300;

/** A model's API, as its configuration says. */
export interface ApiAgents {
  /** No secret in it. */
  description: string;
  /** Else why it cannot be asked. */
  agentFor(
    wish: Pick<Work, "model" | "thinking"> & { patience?: Patience },
  ): Agent | { refused: string };
}

/** A model's API with herd's own tools. */
export function createApiBackend(
  { description, parts, agentFor }: ApiAgents & { parts: BackendParts },
): Backend {
  return {
    description,
    async run(work) {
      const progress = createProgress(work.onProgress, parts.clock);
      try {
        const agent = agentFor(work);
        if ("refused" in agent) return refused(agent.refused);
        return await runAgent(agent, { work, parts, at: progress.at });
      } catch (error) {
        const message = `The attempt stopped: ${explain(error, "terminal").split("\n")[0]}`;
        return { kind: "failed", cause: "agent", message, passing: true, partial: "" };
      } finally {
        progress.stop();
      }
    },
  };
}

/** The settings of an agent that works on one task. */
export function apiSettings(
  config: { maxTokens?: number | undefined; maxTurns?: number | undefined },
  more: Pick<AgentSettings, "model" | "baseUrl" | "effort" | "maxTokens" | "prices">,
): AgentSettings {
  return {
    ...AGENT_DEFAULTS,
    ...more,
    maxTokens: config.maxTokens ?? more.maxTokens,
    maxTurns: config.maxTurns ?? MAX_TURNS,
    timeoutSeconds: SILENCE_SECONDS,
  };
}

async function runAgent(
  agent: Agent,
  { work, parts, at }: { work: Work; parts: BackendParts; at: (phase: string) => void },
): Promise<WorkEnd> {
  if (work.signal.aborted) return { kind: "aborted", partial: "" };
  const problem = sandboxProblem(work, parts);
  if (problem !== undefined) return refused(problem);
  if (work.budgetUsd !== undefined && !priceOf(agent.model, parts.prices ?? {})) {
    const message = `The price of ${JSON.stringify(agent.model)} is not known, so no budget can ` +
      "be kept";
    return { kind: "failed", cause: "budget", message, passing: false, partial: "" };
  }
  const transcript = createTranscript(work.log);
  const tools = createToolSet(work, parts, (tool) => at(`tool ${tool}`));
  try {
    at("thinking");
    const thought = await agent.think(requestOf({ work, tools, transcript, at }));
    return endOf(thought, { work, tools });
  } finally {
    // A tool that was interrupted may still be ending its program.
    await tools.settled();
  }
}

function requestOf(
  { work, tools, transcript, at }: {
    work: Work;
    tools: ToolSet;
    transcript: Transcript;
    at: (phase: string) => void;
  },
): ThinkRequest {
  return {
    purpose: "task",
    system: `${work.instructions.trim()}\n\n${answerNote(work)}`,
    prompt: work.prompt,
    tools: tools.tools,
    budgetUsd: work.budgetUsd,
    signal: work.signal,
    async onUse({ model, tokens }, toldUsd) {
      await work.onUse({ model, ...tokens, usd: toldUsd });
      at("thinking");
    },
    onText(text) {
      transcript.said(text);
      at("answering");
    },
    onTool: transcript.used,
  };
}

function answerNote({ sandbox }: Work): string {
  return sandbox.level === "read-only"
    ? "The words of your last message are the result of the task."
    : "The words of your last message are the result of the task; if you write " +
      `${RESULT_FILE} with write_file, what is in that file is the result instead.`;
}

function endOf(thought: Thought, { work, tools }: { work: Work; tools: ToolSet }): WorkEnd {
  const partial = thought.text;
  if (work.signal.aborted || thought.kind === "aborted") return { kind: "aborted", partial };
  const failed = (cause: "model" | "no-result" | "budget", message: string, passing: boolean) =>
    ({ kind: "failed", cause, message, passing, partial }) as const;
  switch (thought.kind) {
    case "failed": {
      const { kind, message } = thought.failure;
      return failed("model", message, kind !== "auth" && kind !== "rejected");
    }
    case "refused":
      return failed("model", "The model declines the task", false);
    case "out-of-budget":
      return failed(
        "budget",
        `The budget of $${work.budgetUsd} is used up, or has no room for another call`,
        false,
      );
    case "out-of-turns":
      return failed("no-result", "The agent came to no answer within its calls", false);
    case "answered":
      break;
  }
  if (tools.wroteResult()) {
    const result = readResult(work.folder);
    if ("text" in result) return { kind: "done", result: result.text };
    if (partial === "") return failed("no-result", `${RESULT_FILE} ${result.none}`, true);
  }
  return partial === ""
    ? failed("no-result", "The model ended without an answer", true)
    : { kind: "done", result: partial };
}

function refused(message: string): WorkEnd {
  return { kind: "failed", cause: "refused", message, passing: false, partial: "" };
}
