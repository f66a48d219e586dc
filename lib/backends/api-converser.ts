import type { Agent } from "../agent/agent.ts";
import { conversationFrom, withoutThoughts } from "../agent/conversation.ts";
import { explain } from "../base/explain.ts";
import type { AgentSession, Converser, OpenWish, SessionOption } from "../chat/agent-session.ts";
import type { TurnFailure } from "../chat/turn.ts";
import { sandboxSays } from "../tasks/sandbox.ts";
import { anthropicAgents } from "./anthropic-backend.ts";
import type { ApiAgents } from "./api-backend.ts";
import { createApiTalk } from "./api-talk.ts";
import type { ConfigOf } from "./backend-config.ts";
import { choiceProblem } from "./choice-problem.ts";
import { conversationEnv, type ConverserParts, turnFailure } from "./converser-parts.ts";
import { openAiAgents } from "./openai-backend.ts";
import { memoryOf, newest } from "./replay.ts";
import { createToolSet, sandboxProblem } from "./tools/tool-set.ts";

/** People wait for the answer: a server that is out for long is a word to them. */
const PATIENCE = { tries: 4, longestMs: 30_000 };
/** What is told again to a model that began anew; more of it is cut by the model's own limit. Characters. */
const LONGEST_REPLAY = 400_000;

/** A model's API with herd's own tools for the conversation's folder; its memory is herd's. */
export function createApiConverser(
  config: ConfigOf<"anthropic" | "openai">,
  parts: ConverserParts,
): Converser | { refused: string } {
  const agents = config.kind === "anthropic"
    ? anthropicAgents(config, parts)
    : openAiAgents(config, parts);
  if ("refused" in agents) return agents;
  return {
    description: agents.description,
    open: (wish) => Promise.resolve(open(wish, agents, parts)),
  };
}

function open(
  wish: OpenWish,
  agents: ApiAgents,
  parts: ConverserParts,
): AgentSession | { failed: TurnFailure } {
  const { folder, earlier } = wish;
  const { sandbox } = parts;
  if (wish.signal.aborted) {
    return { failed: turnFailure("gone", "The conversation's start was stopped") };
  }
  let model = parts.model;
  const agentNow = () =>
    agents.agentFor({ model, thinking: thinkingOf(parts), patience: PATIENCE });
  const first = agentNow();
  if ("refused" in first) return { failed: turnFailure("refused", first.refused) };
  try {
    const problem = sandboxProblem({ folder, sandbox }, parts);
    if (problem !== undefined) return { failed: turnFailure("refused", problem) };
    const work = { folder, sandbox, env: conversationEnv(parts, folder) };
    const { wrap, graceMs } = parts;
    const given = { wrap, guarded: true, ...(graceMs === undefined ? {} : { graceMs }) };
    const toolSet = createToolSet(work, given, () => {});
    const talk = createApiTalk({
      agent: agentNow,
      system: systemOf(wish, parts),
      toolSet,
      ownTools: parts.tools?.(wish) ?? [],
      permission: wish.hooks.permission,
      log: wish.hooks.log,
      history: conversationFrom(newest(earlier?.transcript ?? [], LONGEST_REPLAY)),
    });
    return {
      sessionId: undefined,
      memory: memoryOf(earlier),
      // A server is never gone for good: what fails is a prompt.
      gone: new Promise(() => {}),
      stderr: () => "",
      prompt: talk.prompt,
      steer: (text) => Promise.resolve(talk.steer(text)),
      options: () => optionsOf(agentNow(), parts),
      choose(option, value) {
        const problem = choiceProblem(option, value, optionsOf(agentNow(), parts));
        if (problem !== undefined) return Promise.resolve(problem);
        model = value;
        talk.change(withoutThoughts);
        return Promise.resolve(undefined);
      },
      [Symbol.asyncDispose]: talk.end,
    };
  } catch (error) {
    const why = explain(error, "terminal").split("\n")[0] ?? "";
    return { failed: turnFailure("refused", `The conversation cannot begin: ${why}`) };
  }
}

function thinkingOf({ thinking = "off" }: ConverserParts) {
  return thinking;
}

function systemOf({ instructions }: OpenWish, { sandbox }: ConverserParts): string {
  return [
    instructions.trim(),
    "Your tools for files and commands work in the folder of this conversation, which they call " +
    `the task's folder. ${sandboxSays(sandbox)}.`,
  ].filter((text) => text !== "").join("\n\n");
}

/** One choice, the model, where people were given several. */
function optionsOf(
  agent: Agent | { refused: string },
  { models = [] }: ConverserParts,
): readonly SessionOption[] {
  if (models.length === 0 || "refused" in agent) return [];
  const { model: current } = agent;
  const known = models.some(({ value }) => value === current);
  const values = known ? models : [{ value: current, name: current }, ...models];
  return [{ id: "model", name: "Model", category: "model", current, values }];
}
