import type { TestContext } from "node:test";
import type {
  AgentSession,
  Block,
  PromptEnd,
  PromptHooks,
  SessionOption,
} from "../../lib/chat/agent-session.ts";
import type { Arrival } from "../../lib/chat/arrival.ts";
import { type Broker, type BrokerParts, createBroker } from "../../lib/chat/broker.ts";
import type { ChatHappening } from "../../lib/chat/chat-event.ts";
import { applyToChat, type ChatState, emptyChat } from "../../lib/chat/chat-state.ts";
import { createSessions, type Sessions } from "../../lib/chat/sessions.ts";
import type { Turn, TurnFailure } from "../../lib/chat/turn.ts";
import { soon } from "./soon.ts";
import { createSteppedClock, type SteppedClock } from "./stepped-clock.ts";

export interface Prompted {
  conversation: string;
  text: string;
  hooks: PromptHooks;
  /** Ends the prompt. */
  end(end: PromptEnd): void;
  say(text: string): void;
}

export interface ChatScene {
  broker: Broker;
  sessions: Sessions;
  clock: SteppedClock;
  journal: ChatHappening[];
  state(): ChatState;
  append: BrokerParts["append"];
  /** What the journal is written to. */
  disk: { isFull: boolean };
  /** What agents offer; `choose` sets the current one. */
  options: SessionOption[];
  /** What was said into turns, where agents can hear it. */
  steered: string[];
  /** Prompts that agents were given, in order. */
  prompts: Prompted[];
  /** Agents that were opened and closed, in order. */
  agents: string[];
  /** Each form of each turn that was told. */
  seen: Turn[];
  hear(id: string, content: string, more?: Partial<Arrival>): boolean;
  /** Resolves when it is so; rejects after two real seconds. */
  until(what: string, is: () => boolean): Promise<void>;
}

/** A broker with agents that do as the test says; `journal` is what an earlier life wrote. */
export function chatScene(
  t: TestContext,
  { journal = [], limit = 10, opening = () => Promise.resolve(), isSteered = false, ...more }:
    & {
      journal?: ChatHappening[];
      limit?: number;
      opening?: () => Promise<{ failed: TurnFailure } | void>;
      isSteered?: boolean;
    }
    & Partial<
      Pick<BrokerParts, "batch" | "patience" | "place" | "blocks" | "screen">
    > = {},
): ChatScene {
  const clock = createSteppedClock();
  const state = emptyChat();
  const prompts: Prompted[] = [];
  const agents: string[] = [];
  const seen: Turn[] = [];
  const options: SessionOption[] = [];
  const disk = { isFull: false };
  const steered: string[] = [];
  let seq = 0;
  const apply = (what: ChatHappening) => {
    const event = { v: 1, seq: ++seq, at: clock.now(), by: "test", what } as const;
    applyToChat(state, event as Parameters<typeof applyToChat>[1]);
    return event;
  };
  journal.forEach(apply);
  const written = [...journal];
  const sessions = createSessions({
    limit: () => limit,
    ttlMs: () => 86_400_000,
    clock,
    open: (conversation) => {
      agents.push(`open ${conversation}`);
      return opening().then((failed) => failed ?? scriptedSession(conversation));
    },
  });

  function scriptedSession(conversation: string): AgentSession {
    const gone = Promise.withResolvers<string>();
    return {
      sessionId: `agent-${conversation}`,
      memory: "fresh",
      prompt(blocks: readonly Block[], hooks) {
        const { promise, resolve } = Promise.withResolvers<PromptEnd>();
        let said = "";
        hooks.signal.addEventListener("abort", () => resolve({ kind: "cancelled", text: said }));
        const text = blocks.map((one) => one.type === "text" ? one.text : "[image]").join("\n");
        prompts.push({
          conversation,
          text,
          hooks,
          end: resolve,
          say(words) {
            said = words;
            hooks.onText(words);
          },
        });
        return promise;
      },
      steer(text) {
        if (isSteered) steered.push(text);
        return Promise.resolve(isSteered);
      },
      options: () => options,
      choose(id, value) {
        const at = options.findIndex((one) => one.id === id);
        const isKnown = options[at]?.values.some((one) => one.value === value) === true;
        if (isKnown) options[at] = { ...options[at]!, current: value };
        return Promise.resolve(isKnown ? undefined : "The agent does not know that");
      },
      stderr: () => "",
      gone: gone.promise,
      [Symbol.asyncDispose]() {
        agents.push(`close ${conversation}`);
        gone.resolve("closed");
        return Promise.resolve();
      },
    };
  }

  const append: BrokerParts["append"] = (whats) => {
    if (disk.isFull) throw new Error("No space left on device");
    written.push(...whats);
    return whats.map(apply) as unknown as ReturnType<BrokerParts["append"]>;
  };
  const broker = createBroker({
    state: () => state,
    append,
    sessions,
    clock,
    batch: () => ({ mode: "per-thread", messages: 10, tokens: 24_000 }),
    patience: () => ({ stuckMs: 600_000, graceMs: 120_000, totalMs: 3_600_000, toolMs: 900_000 }),
    place: ({ id }) => Promise.resolve({ channelId: id, replies: false }),
    blocks: (_, messages) =>
      Promise.resolve(messages.map(({ content }) => ({ type: "text", text: content }))),
    log() {},
    ...more,
  });
  broker.onTurn((turn) => seen.push(turn));
  t.after(async () => {
    await broker[Symbol.asyncDispose]();
    await sessions[Symbol.asyncDispose]();
  });
  return {
    broker,
    sessions,
    clock,
    journal: written,
    state: () => state,
    append,
    disk,
    options,
    steered,
    prompts,
    agents,
    seen,
    hear: (id, content, given = {}) => broker.accept(arrival(id, content, given)),
    until: soon,
  };
}

export function arrival(id: string, content: string, more: Partial<Arrival> = {}): Arrival {
  return {
    id,
    at: 1_700_000_000_000,
    editedAt: undefined,
    place: {
      channelId: "100",
      threadId: "200",
      isDirect: false,
      threadOwner: undefined,
      guildId: "1",
    },
    author: { id: "7", name: "alice", displayName: "Alice", isBot: false, roles: [] },
    content,
    mentions: { users: [], roles: [], everyone: false },
    quoted: undefined,
    attachments: [],
    extras: [],
    kind: "spoken",
    ...more,
  };
}

/** Where another conversation is. */
export function inThread(threadId: string): Partial<Arrival> {
  const { place } = arrival("0", "");
  return { place: { ...place, threadId } };
}
