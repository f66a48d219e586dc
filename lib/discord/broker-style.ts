import type { AnswerStyle } from "../chat/answer.ts";
import type { BotConfig } from "../chat/broker-config.ts";
import { EMOJIS, type SignStyle } from "../chat/signs.ts";

/** How a bot's answers look, as its configuration says. */
export function answerStyle({ reactions, answers, agent }: BotConfig): AnswerStyle {
  return {
    tools: reactions.toolDisplay,
    tables: answers.tables,
    footer: answers.footer ? ["model", "tokens", "cost", "duration"] : [],
    agent: agent.name,
  };
}

export function signStyle(
  { reactions: { enabled, removeAfterReply, emojis, timing } }: BotConfig,
): SignStyle {
  const { queued, thinking, tool, coding, web, asking, slow, stuck, done, error, cancelled } =
    emojis;
  return {
    enabled,
    removeAfterReply,
    // An agent's own error and broken machinery are told apart in words.
    emojis: {
      ...EMOJIS,
      ...{ queued, thinking, tool, coding, web, asking, slow, stuck, done, error, cancelled },
      silent: stuck,
      failed: error,
    },
    timing: {
      debounce: timing.debounceMs,
      stallSoft: timing.stallSoftMs,
      stallHard: timing.stallHardMs,
      doneHold: timing.doneHoldMs,
      errorHold: timing.errorHoldMs,
    },
  };
}
