import type { Conversation } from "../chat/chat-state.ts";
import { DiscordError } from "./discord-error.ts";
import type { Message, Outgoing, OutgoingFile } from "./message.ts";
import { nonceOf } from "./post-view.ts";
import type { DiscordRest } from "./rest.ts";
import { splitText } from "../base/split-text.ts";

export interface BrokerVoiceParts {
  rest: Pick<DiscordRest, "send">;
  mark(): string;
  signal: AbortSignal;
  log(level: "info", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** What the bot itself says in a conversation, beside the agent's answers. */
export interface BrokerVoice {
  /** A remark; one that cannot be made is in the log. The same `key` is the same remark. */
  remark(conversation: Conversation, text: string, key: string): Promise<void>;
  /** What arrived of it, as Discord says; undefined when nothing did. */
  files(
    conversation: Conversation,
    files: readonly OutgoingFile[],
    key: string,
  ): Promise<Message["attachments"] | { failed: string }>;
}

const CONTENT = 2_000;

export function createBrokerVoice(parts: BrokerVoiceParts): BrokerVoice {
  const { rest } = parts;

  async function send(
    { where, place }: Conversation,
    message: Outgoing,
    key: string,
    part: number,
  ): Promise<Message> {
    const channel = where?.channelId ?? place.threadId ?? place.channelId;
    const nonce = nonceOf(parts.mark(), key, part);
    return await rest.send(channel, { ...message, nonce, silent: true }, parts.signal);
  }

  return {
    async remark(conversation, text, key) {
      try {
        for (const [i, content] of splitText(text, CONTENT).entries()) {
          await send(conversation, { content }, key, i);
        }
      } catch (error) {
        if (parts.signal.aborted) return;
        if (!(error instanceof DiscordError)) throw error;
        parts.log("info", "Cannot make a remark", { error: error.message });
      }
    },
    async files(conversation, files, key) {
      try {
        return (await send(conversation, { files }, key, 0)).attachments;
      } catch (error) {
        if (!(error instanceof DiscordError)) throw error;
        return { failed: error.message };
      }
    },
  };
}
