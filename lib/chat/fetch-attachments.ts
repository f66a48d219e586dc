import type { Block } from "./agent-session.ts";
import type { Attached } from "./arrival.ts";
import { attachmentBytes } from "./attachment-folder.ts";
import { ATTACHMENT_LIMITS, planAttachments } from "./attachments-in.ts";
import { type AttachmentParts, takeAttachment, type Taken } from "./take-attachment.ts";

/** What came of a turn's attachments: for each exactly one block. */
export interface FetchedAttachments {
  /** In front of the words: transcripts, the newest first, then files. */
  before: readonly Block[];
  /** Behind them: pictures. */
  after: readonly Block[];
  /** What people see before the answer, a line each. */
  lines: readonly string[];
  /** Reactions that the message gets besides. */
  signs: readonly string[];
}

/** So many at once: each may take 25 MB. */
const AT_ONCE = 4;

/**
 * Takes in all attachments of a turn, several at once. What fails is told in words, to the agent and to
 * people; only a cancel is thrown.
 */
export async function fetchAttachments(
  attached: readonly Attached[],
  parts: AttachmentParts,
  signal: AbortSignal,
): Promise<FetchedAttachments> {
  const limits = parts.limits ?? ATTACHMENT_LIMITS;
  const transcribes = parts.transcribe !== undefined;
  const used = attached.length === 0 ? 0 : usedIn(parts);
  const plans = planAttachments(attached, { transcribes, used, limits });
  const outcomes: Taken[] = [];
  const waiting = plans.entries();
  async function work(): Promise<void> {
    for (const [i, plan] of waiting) {
      signal.throwIfAborted();
      outcomes[i] = await takeAttachment(plan, parts, signal);
    }
  }
  // All of them end before this does, also when one is cancelled: no file is left half written.
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return sorted(outcomes);
}

function usedIn({ folder, log }: AttachmentParts): number {
  try {
    return attachmentBytes(folder);
  } catch (error) {
    log(`Cannot read the folder of attachments: ${error}`);
    return 0;
  }
}

function sorted(outcomes: readonly Taken[]): FetchedAttachments {
  const of = (place: Taken["place"]) =>
    outcomes.filter((one) => one.place === place).map(({ block }) => block);
  return {
    before: [...of("transcript").reverse(), ...of("file")],
    after: of("image"),
    lines: outcomes.flatMap(({ line }) => line === undefined ? [] : [line]),
    signs: [...new Set(outcomes.flatMap(({ sign }) => sign === undefined ? [] : [sign]))],
  };
}
