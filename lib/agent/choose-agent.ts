import type { Clock } from "../base/clock.ts";
import { findProgram } from "../base/find-program.ts";
import { type LineRunner, runLines } from "../base/process-lines.ts";
import type { AgentSettings } from "../sweep/config.ts";
import type { Agent } from "./agent.ts";
import { createClaudeAgent } from "./claude.ts";
import { createClaudeCliAgent } from "./claude-cli.ts";
import { describeCredentials, type Environment } from "./credentials.ts";

export interface ChooseParts {
  settings: AgentSettings;
  env: Environment;
  clock: Clock;
  /** See `ClaudeCliParts`. */
  mcpCommand: readonly string[];
  fetch?: typeof fetch;
  run?: LineRunner;
}

/** The agent that the settings and the environment allow; else why there is none, as a sentence without a period. */
export function chooseAgent(parts: ChooseParts): Agent | { none: string } {
  const { settings, env, clock, mcpCommand } = parts;
  const credentials = describeCredentials(env, settings);
  if (credentials.kind === "none") return { none: credentials.text };
  if (credentials.kind === "claude-cli") {
    if (findProgram("claude", env.PATH) === undefined) {
      return {
        none: 'No agent: agent.backend is "claude-cli" and there is no "claude" on the PATH, ' +
          "the rules run the sweep",
      };
    }
    return createClaudeCliAgent({ settings, env, clock, mcpCommand, run: parts.run ?? runLines });
  }
  return createClaudeAgent({
    settings,
    env,
    clock,
    ...(parts.fetch === undefined ? {} : { fetch: parts.fetch }),
  });
}
