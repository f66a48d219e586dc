import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "../base/schema.ts";
import { EPOCH, isWorkerName, MOST_BYTES, TASK_ID } from "./exchange-schema.ts";

const MessageId = z.string().regex(/^\d{1,20}$/);
const MOST_FILE_MESSAGES = 1_000;

const Envelope = z.object({
  v: z.literal(1),
  report: z.unknown().optional(),
  orders: z.unknown().optional(),
  /** Messages that hold files of attempts. */
  files: z.array(z.object({ task: TASK_ID, epoch: EPOCH, message: MessageId }))
    .max(MOST_FILE_MESSAGES).default([]),
  hello: z.object({ proof: z.string().max(100) }).optional(),
  welcome: z.object({ worker: z.string().refine(isWorkerName), bot: MessageId }).optional(),
});

/** What a letter of the pool holds. */
export type Envelope = z.infer<typeof Envelope>;

/** Undefined for what is no letter of a pool. */
export function readEnvelope(text: string | undefined): Envelope | undefined {
  if (text === undefined || text.length > MOST_BYTES) return undefined;
  try {
    return Envelope.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What a worker's machine needs to find its mailbox and to prove itself there, once. */
export interface MailboxCode {
  channel: string;
  /** The coordinator's bot: nobody else is listened to there. */
  coordinator: string;
  secret: string;
}

export function newMailboxCode(place: Omit<MailboxCode, "secret">): MailboxCode {
  return { ...place, secret: randomBytes(15).toString("base64url") };
}

export function codeText({ channel, coordinator, secret }: MailboxCode): string {
  return `${channel}.${coordinator}.${secret}`;
}

export function readMailboxCode(text: string): MailboxCode | undefined {
  const found = /^(\d{1,20})\.(\d{1,20})\.([A-Za-z0-9_-]{16,64})$/.exec(text.trim());
  if (found === null) return undefined;
  const [, channel, coordinator, secret] = found;
  return { channel: channel!, coordinator: coordinator!, secret: secret! };
}

/**
 * Shows that `bot` knows the code. Everybody in the channel can read it: it is of use to nobody
 * else, for it holds for its author alone, and the code itself is never said.
 */
export function proofOf({ channel, secret }: MailboxCode, bot: string): string {
  return createHmac("sha256", secret).update(`herd mailbox ${channel} ${bot}`).digest("base64url");
}

export function isProof(code: MailboxCode, bot: string, proof: string): boolean {
  const wanted = Buffer.from(proofOf(code, bot));
  const given = Buffer.from(proof);
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}
