import { newMark } from "../agent/quote-data.ts";
import type { Clock } from "../base/clock.ts";
import type { Block } from "../chat/agent-session.ts";
import type { Arrival, Named } from "../chat/arrival.ts";
import { ATTACHMENT_LIMITS, type AttachmentLimits } from "../chat/attachments-in.ts";
import type { BotConfig } from "../chat/broker-config.ts";
import type { Conversation } from "../chat/chat-state.ts";
import type { Fetch } from "../chat/download.ts";
import { fetchAttachments } from "../chat/fetch-attachments.ts";
import { type EarlierText, type PromptPart, writePrompt } from "../chat/prompt.ts";
import type { ScalePicture } from "../chat/take-attachment.ts";
import { createTranscriber, type Transcribe } from "../chat/transcribe.ts";

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
  complete(arrival: Arrival, signal: AbortSignal): Promise<Arrival>;
  before(channelId: string, message: string, signal: AbortSignal): Promise<EarlierText[]>;
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

/** What the agent is given of the messages of a turn. */
export function createBotBlocks(parts: BotBlocksParts) {
  const { config, clock } = parts;

  return async (
    conversation: Conversation,
    messages: readonly Arrival[],
    signal: AbortSignal,
  ): Promise<readonly Block[]> => {
    const me = await parts.me(signal);
    const files = await parts.filesOf(conversation);
    const known = await Promise.all(messages.map((one) => parts.complete(one, signal)));
    const prepared: PromptPart[] = [];
    for (const arrival of known) prepared.push(await taken(conversation, arrival, files, signal));
    return writePrompt(prepared, {
      mark: newMark(),
      me: me.id,
      triggerRoles: config().rules.triggerRoles,
      surface: "discord",
      threadId: parts.threadOf(conversation.id),
      earlier: await earlier(conversation, messages, signal),
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
      refresh: undefined,
      limits: limitsOf(attachments),
      log: parts.log,
    }, signal);
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

  /** Of a thread that people had before they called the bot. */
  async function earlier(
    { place: { threadId }, turns }: Conversation,
    [first]: readonly Arrival[],
    signal: AbortSignal,
  ): Promise<EarlierText[]> {
    if (threadId === undefined || turns > 1 || first === undefined) return [];
    return await parts.before(threadId, first.id, signal);
  }
}

function limitsOf(own: BotConfig["attachments"]): AttachmentLimits {
  return {
    ...ATTACHMENT_LIMITS,
    textBytes: own.textBytes,
    textFiles: own.textFiles,
    textTotalBytes: own.textTotalBytes,
    imageBytes: own.imageBytes,
    audioBytes: own.audioBytes,
    savedBytes: own.fileBytes,
    sessionBytes: own.sessionBytes,
  };
}
