import type { ChatHappening } from "../chat/chat-event.ts";
import { isChatHappening } from "../chat/chat-event.ts";
import { applyToChat, CHAT_STATE_VERSION, type ChatState, emptyChat } from "../chat/chat-state.ts";
import type { Fold } from "../store/journal-reading.ts";

/** How a bot's journal becomes its state. */
export const CHAT_FOLD: Fold<ChatState, ChatHappening> = {
  version: CHAT_STATE_VERSION,
  empty: emptyChat,
  apply: applyToChat,
  knows: isChatHappening,
  toPlain: ({ conversations, heard, ...plain }) => ({
    ...plain,
    conversations: [...conversations],
    heard: [...heard],
  }),
  fromPlain(plain) {
    const { conversations, heard, ...rest } = plain as Record<string, never>;
    return {
      ...(rest as unknown as ChatState),
      conversations: new Map(conversations),
      heard: new Set(heard),
    };
  },
};
