import type { Tool } from "../agent/tool.ts";
import type { OpenWish } from "../chat/agent-session.ts";
import type { TurnFailure } from "../chat/turn.ts";
import type { Thinking } from "../tasks/backend.ts";
import type { Sandbox } from "../tasks/sandbox.ts";
import type { BackendParts } from "./backend-parts.ts";
import { BROKER_MARK } from "./end-marked.ts";

/** What every converser is made of. */
export interface ConverserParts extends BackendParts {
  sandbox: Sandbox;
  /** Its whole environment, beside what the configuration names. */
  agentEnv(folder: string): Readonly<Record<string, string>>;
  /** As the provider names it; absent: the agent's own. */
  model?: string;
  /** What people may choose instead, for agents that do not say so themselves. */
  models?: readonly { value: string; name: string }[];
  /** Absent: `off`, which leaves it to the agent. */
  thinking?: Thinking;
  /** herd's tools of this conversation; nobody is asked for them, as they keep their own rules. */
  tools?(wish: OpenWish): readonly Tool[];
  /** How an agent that is a program reaches them; undefined where it cannot. */
  offer?(tools: readonly Tool[]): Promise<ToolOffer | undefined>;
  /** Value of `HERD_BROKER` in all that is started, for `endLeftOvers`. */
  brokerMark?: string;
  /** From its start to its session: `npx` may load it from the network first. Milliseconds. */
  startLimitMs?: number;
  /** What an agent that was told to cancel may take to say so. Milliseconds. */
  cancelMs?: number;
}

/** A server of the Model Context Protocol, to be started by the agent's program. */
export interface ToolOffer extends Disposable {
  /** As ACP has it. */
  server: {
    name: string;
    command: string;
    args: string[];
    env: { name: string; value: string }[];
  };
  /** What its program must be able to read, absolute. */
  reads: readonly string[];
}

/** The environment of all that is started for a conversation. */
export function conversationEnv(
  { agentEnv, brokerMark }: Pick<ConverserParts, "agentEnv" | "brokerMark">,
  folder: string,
): Record<string, string> {
  return {
    ...agentEnv(folder),
    ...(brokerMark === undefined ? {} : { [BROKER_MARK]: brokerMark }),
  };
}

export function turnFailure(
  kind: TurnFailure["kind"],
  message: string,
  more: Partial<Pick<TurnFailure, "code" | "stderr" | "hint">> = {},
): TurnFailure {
  return { kind, message, code: undefined, stderr: "", hint: undefined, ...more };
}
