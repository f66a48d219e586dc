import { join } from "node:path";
import type { Said } from "../chat/agent-session.ts";
import type { ChatState, TurnRecord } from "../chat/chat-state.ts";
import { piecesOf } from "../chat/transcript-pieces.ts";
import { turnNumber } from "../chat/turn.ts";
import {
  openTranscript,
  type TranscriptFile,
  type TranscriptLine,
} from "../store/transcript-file.ts";

/** What was said in each conversation of a bot, people and agent, in one file each. */
export interface BotTranscripts {
  pathOf(conversation: string): string;
  /** A turn that is over; once, however often it is told. Throws when the disk refuses. */
  keep(conversation: string, turn: TurnRecord): void;
  /**
   * What the agent may be told again: all but what was said before the last reset, with the words of
   * conversations that it goes on with.
   */
  said(state: ChatState, conversation: string): Said[];
}

const MOST_OPEN = 500;

export function createBotTranscripts(sessions: string): BotTranscripts {
  const files = new Map<string, TranscriptFile>();
  const pathOf = (conversation: string) => join(sessions, conversation, "transcript.jsonl");

  function fileOf(conversation: string): TranscriptFile {
    const file = files.get(conversation) ?? openTranscript(pathOf(conversation));
    files.delete(conversation);
    files.set(conversation, file);
    if (files.size > MOST_OPEN) files.delete(files.keys().next().value!);
    return file;
  }

  return {
    pathOf,
    keep: (conversation, turn) => fileOf(conversation).append(linesOf(turn)),
    said: (state, conversation) =>
      piecesOf(state, conversation).flatMap(({ conversation: id, until }) => {
        const forgot = state.conversations.get(id)?.forgot ?? 0;
        return fileOf(id).read().flatMap(({ turn, role, at, text }) =>
          turn > forgot && at <= until ? [{ role, at, text }] : []
        );
      }),
  };
}

function linesOf({ id, messages, steered, ending, begunAt }: TurnRecord): TranscriptLine[] {
  const turn = turnNumber(id);
  const people = messages.map(({ arrival }): TranscriptLine => ({
    turn,
    role: "person",
    at: arrival.at,
    text: [
      `${arrival.author.displayName} (${arrival.author.id}): ${arrival.content}`,
      ...arrival.attachments.map(({ name }) => `[attached: ${name}]`),
    ].join("\n"),
  }));
  people.push(...steered.map(({ at, text }) => ({ turn, role: "person" as const, at, text })));
  const text = ending?.text ?? "";
  const at = begunAt + (ending?.tookMs ?? 0);
  return text === "" ? people : [...people, { turn, role: "agent", at, text }];
}
