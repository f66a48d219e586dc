import { newMark } from "../agent/quote-data.ts";
import type { Clock } from "../base/clock.ts";
import type { Block } from "../chat/agent-session.ts";
import type { Arrival, Named } from "../chat/arrival.ts";
import { ATTACHMENT_LIMITS, type AttachmentLimits } from "../chat/attachments-in.ts";
import type { BotConfig } from "../chat/broker-config.ts";
import type { Conversation } from "../chat/chat-state.ts";
import type { Fetch } from "../chat/download.ts";
import { fetchAttachments } from "../chat/fetch-attachments.ts";
import type { BrokerHistory } from "../discord/broker-history.ts";
import { type EarlierText, type PromptPart, writePrompt } from "../chat/prompt.ts";
import type { ScalePicture } from "../chat/take-attachment.ts";
import { createTranscriber, type Transcribe } from "../chat/transcribe.ts";
import { createBotVideos } from "./bot-videos.ts";

export interface BotBlocksParts {
  config(): BotConfig;
  env(): Readonly<Record<string, string | undefined>>;
  clock: Clock;
  fetch: Fetch;
  scale: ScalePicture;
  /** From where files of messages are fetched. */
  origins: readonly string[];
  me(signal: AbortSignal): Promise<Named>;
  /** Where the conversation's files are; throws what people are told. */
  filesOf(conversation: Conversation): Promise<string>;
  history: Pick<BrokerHistory, "before" | "since" | "whole" | "complete" | "address">;
  /** It was heard as a message of its own. */
  isHeard(message: string): boolean;
  /** Other bots have spoken there. */
  hasOtherBots(conversation: string): boolean;
  botTurns(conversation: string): number;
  /** Where its answers go, once that is known. */
  threadOf(conversation: string): string | undefined;
  /** What people see before the answer, and signs on the message. */
  onTaken(
    conversation: Conversation,
    message: Arrival,
    lines: readonly string[],
    signs: readonly string[],
  ): void;
  log(text: string): void;
}

/** So long after a message the next one of the same answer is there. */
const PIECES_MS = 1_000;

/** What the agent is given of the messages of a turn. */
export function createBotBlocks(parts: BotBlocksParts) {
  const { config, clock } = parts;
  const videos = createBotVideos({ clock, address: parts.history.address });

  return async (
    conversation: Conversation,
    messages: readonly Arrival[],
    signal: AbortSignal,
  ): Promise<readonly Block[]> => {
    const me = await parts.me(signal);
    const files = await parts.filesOf(conversation);
    const whole = await handedOver(messages, me.id, signal);
    const known = await Promise.all(whole.map((one) => parts.history.complete(one, signal)));
    const prepared: PromptPart[] = [];
    for (const arrival of known) prepared.push(await taken(conversation, arrival, files, signal));
    const fresh = await videos.fresh(conversation, known, signal);
    return writePrompt(withTexts(fresh, prepared), {
      mark: newMark(),
      me: me.id,
      triggerRoles: config().rules.triggerRoles,
      botTurns: {
        count: parts.botTurns(conversation.id),
        most: config().rules.botTurns.soft,
      },
      surface: "discord",
      threadId: parts.threadOf(conversation.id),
      earlier: await earlier(conversation, messages, me.id, signal),
    });
  };

  async function taken(
    conversation: Conversation,
    arrival: Arrival,
    folder: string,
    signal: AbortSignal,
  ): Promise<PromptPart> {
    const { attachments, stt } = config();
    const fetched = await fetchAttachments(arrival.attachments, {
      fetch: parts.fetch,
      clock,
      origins: parts.origins,
      folder,
      scale: parts.scale,
      transcribe: transcriber(),
      echoTranscript: stt?.echo ?? false,
      limits: limitsOf(attachments),
      log: parts.log,
    }, signal);
    videos.heard(arrival);
    const { lines, signs } = fetched;
    if (lines.length + signs.length > 0) parts.onTaken(conversation, arrival, lines, signs);
    return {
      arrival,
      attached: {
        texts: fetched.before.flatMap((one) => one.type === "text" ? [one.text] : []),
        images: fetched.after.flatMap((one) => one.type === "image" ? [one] : []),
      },
    };
  }

  function transcriber(): Transcribe | undefined {
    const { stt } = config();
    if (stt === undefined) return undefined;
    const { key, model, baseUrl } = stt;
    const secret = key === undefined ? undefined : "env" in key ? parts.env()[key.env] : key.text;
    return createTranscriber({ fetch: parts.fetch, clock, baseUrl, model, key: secret });
  }

  /** What other bots say to this one, as a whole: only one of its messages has the mention. */
  async function handedOver(
    messages: readonly Arrival[],
    me: string,
    signal: AbortSignal,
  ): Promise<readonly Arrival[]> {
    const isOthers = ({ author, kind }: Arrival) =>
      author.isBot && author.id !== me && kind === "spoken";
    if (!messages.some(isOthers)) return messages;
    await clock.sleep(PIECES_MS, signal);
    return await Promise.all(
      messages.map((one) => isOthers(one) ? parts.history.whole(one, parts.isHeard, signal) : one),
    );
  }

  /**
   * Of a thread that people had before they called the bot; among bots, what was said to others
   * since its own last word.
   */
  async function earlier(
    { id, place, turns }: Conversation,
    [first]: readonly Arrival[],
    me: string,
    signal: AbortSignal,
  ): Promise<EarlierText[]> {
    if (first === undefined) return [];
    if (turns <= 1) {
      const { threadId } = place;
      return threadId === undefined ? [] : await parts.history.before(threadId, first.id, signal);
    }
    const thread = parts.threadOf(id);
    if (thread === undefined || !parts.hasOtherBots(id)) return [];
    return await parts.history.since(thread, first.id, me, signal);
  }
}

/** In front of the first message's own. */
function withTexts(
  texts: readonly string[],
  [first, ...rest]: readonly PromptPart[],
): PromptPart[] {
  if (first === undefined) return [];
  const { attached } = first;
  return [{ ...first, attached: { ...attached, texts: [...texts, ...attached.texts] } }, ...rest];
}

function limitsOf(own: BotConfig["attachments"]): AttachmentLimits {
  return {
    ...ATTACHMENT_LIMITS,
    textBytes: own.textBytes,
    textFiles: own.textFiles,
    textTotalBytes: own.textTotalBytes,
    imageBytes: own.imageBytes,
    imageSide: own.imageSide,
    audioBytes: own.audioBytes,
    savedBytes: own.fileBytes,
    sessionBytes: own.sessionBytes,
  };
}
