import type { Tool, ToolResult } from "../agent/tool.ts";
import { createTools } from "../agent/tools.ts";
import type { Clock } from "../base/clock.ts";
import { RefusedError } from "../base/errors.ts";
import type { Conversation } from "../chat/chat-state.ts";
import type { Right } from "../discord/access.ts";
import { type Asking, askingIn } from "./asking.ts";
import type { Waits } from "../chat/create-waits.ts";
import type { SweepAt } from "./sweep-at.ts";
import type { WaitSubjects } from "./wait-subjects.ts";
import { waitTools } from "./wait-tools.ts";

export interface ConversationToolsParts {
  /** Of the bot. */
  name: string;
  me(): string | undefined;
  find(conversation: string): Conversation | undefined;
  sweepAt(channelId: string): SweepAt | undefined;
  waits: Pick<Waits, "set" | "drop" | "of">;
  subjects: WaitSubjects;
  clock: Clock;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** herd's own tools for the agents of one bot's conversations. */
export interface ConversationTools {
  /** The sweep below whose channel it is held. */
  sweepOf(conversation: Pick<Conversation, "place">): SweepAt | undefined;
  /** Each checks anew, at each call, whether a turn runs, who asked, and what those may do. */
  of(conversation: Pick<Conversation, "id" | "place">): readonly Tool[];
}

/** What only the sweep's own agent is called for; `wait` is there instead of the first. */
const LEFT_OUT: readonly string[] = ["wait_for_event", "mark_user_prompt_read"];
/** Of an input in the audit log; characters. */
const KEPT = 1_000;

export function createConversationTools(parts: ConversationToolsParts): ConversationTools {
  const { clock, audit } = parts;
  const sweepOf = ({ place }: Pick<Conversation, "place">) =>
    place.isDirect ? undefined : parts.sweepAt(place.channelId);

  function of(one: Pick<Conversation, "id" | "place">): readonly Tool[] {
    const sweep = sweepOf(one);
    // What they are called and take is the same for everybody; who asks is seen at each call.
    const nobody: Asking = { by: "", users: [], hasBots: false };
    return [
      ...waiting(one, nobody).map((tool) =>
        checked(one, tool, (asking) => Promise.resolve(waiting(one, asking)))
      ),
      ...(sweep === undefined ? [] : operating(sweep, "")).map((tool) =>
        checked(one, tool, async (asking) => {
          const right = tool.acts ? "act" : "look";
          return operating(await sweepFor(one, asking, right), asking.by);
        })
      ),
    ];
  }

  function waiting(one: Pick<Conversation, "id" | "place">, asking: Asking): readonly Tool[] {
    const { waits, subjects } = parts;
    return waitTools({
      ...{ conversation: one.id, waits, subjects, asking },
      sweep: () => sweepFor(one, asking, "look"),
      now: clock.now,
    });
  }

  function operating({ desk }: SweepAt, by: string): readonly Tool[] {
    return createTools({ desk, by, clock }).filter(({ name }) => !LEFT_OUT.includes(name));
  }

  function checked(
    { id }: Pick<Conversation, "id">,
    tool: Tool,
    now: (asking: Asking) => Promise<readonly Tool[]>,
  ): Tool {
    return {
      ...tool,
      async run(input, signal) {
        const { name, me } = parts;
        const asking = askingIn(parts.find(id) ?? { turn: undefined }, { bot: name, me: me() });
        const result = asking === undefined
          ? refusal("No turn of this conversation runs: tools work only while somebody is answered")
          : await run(await named(tool, now, asking), input, signal);
        audit("tool", {
          by: asking?.by ?? `broker:${name}`,
          conversation: id,
          tool: tool.name,
          input: (JSON.stringify(input) ?? "").slice(0, KEPT),
          ...(result.isError ? { refused: result.text.slice(0, 300) } : {}),
        });
        return result;
      },
    };
  }

  /** The sweep, as those who asked may use it. */
  async function sweepFor(
    one: Pick<Conversation, "id" | "place">,
    asking: Asking,
    right: Right,
  ): Promise<SweepAt> {
    const sweep = sweepOf(one);
    if (sweep === undefined) {
      throw new RefusedError("No sweep of this channel is monitored now; `herd monitor` starts it");
    }
    if (right === "act" && asking.hasBots) {
      throw new RefusedError("Refused: a bot asked for it, and only people have something done");
    }
    for (const user of asking.users) {
      const ruling = await sweep.may(user, right);
      if (!ruling.may) throw new RefusedError(`Refused for <@${user}>: ${ruling.why}`);
    }
    return sweep;
  }

  return { sweepOf, of };
}

async function named(
  { name }: Tool,
  now: (asking: Asking) => Promise<readonly Tool[]>,
  asking: Asking,
): Promise<Tool | ToolResult> {
  try {
    const found = (await now(asking)).find((one) => one.name === name);
    return found ?? refusal(`The tool "${name}" is not there any more`);
  } catch (error) {
    if (error instanceof RefusedError) return refusal(error.message);
    throw error;
  }
}

async function run(
  tool: Tool | ToolResult,
  input: unknown,
  signal: AbortSignal,
): Promise<ToolResult> {
  return "text" in tool ? tool : await tool.run(input, signal);
}

function refusal(text: string): ToolResult {
  return { text, isError: true };
}
