import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../base/files.ts";
import { holdFolder } from "../base/held-folder.ts";
import { codeSpan } from "../base/markdown.ts";
import { bytesText } from "./attachments-in.ts";
import { readFound, sightFile } from "./outbox-file.ts";
import { safeName } from "./safe-name.ts";

/** Below a session's folder: what the agent puts there, people get. */
export const OUTBOX = "outbox";

/** What one message takes. */
export interface OutboxLimits {
  files: number;
  /** Of one file. */
  fileBytes: number;
  /** Of all of them. */
  messageBytes: number;
}

const MIB = 1_024 * 1_024;

export const OUTBOX_LIMITS: OutboxLimits = {
  files: 10,
  fileBytes: 10 * MIB,
  messageBytes: 24 * MIB,
};

/** What has been sent and told; small, plain JSON, kept with the conversation. */
export interface OutboxState {
  /** Digests of name and content, oldest first. */
  readonly sent: readonly string[];
  /** Of what people were told about files that cannot be sent: once each. */
  readonly told: readonly string[];
}

export const EMPTY_OUTBOX: OutboxState = { sent: [], told: [] };

/** Files as the last look found them; in memory only. `key`: known since it was read. */
export type Sighted = ReadonlyMap<string, Sight>;

interface Sight {
  readonly mark: string;
  readonly since: number;
  readonly key?: string;
}

export interface OutFile {
  /** As it is to be called where it is shown. */
  name: string;
  /** Where it is. */
  path: string;
  bytes: number;
  /** Stands in `sent` when it was delivered. */
  key: string;
  content: Uint8Array;
}

export interface Notice {
  key: string;
  text: string;
}

export interface OutboxLook {
  /** For one message; the next look gives what had no room. */
  files: readonly OutFile[];
  /** Sentences about files that cannot be sent, with their paths. */
  notices: readonly Notice[];
  sighted: Sighted;
  /** When to look again, milliseconds since the epoch: a file may have come to rest, or there is more. */
  again: number | undefined;
}

/** A file that has not changed for so long is complete. */
const RESTS_MS = 1_000;
const MOST_REMEMBERED = 1_000;

export interface OutboxWish {
  /** The session's folder, absolute. */
  folder: string;
  state: OutboxState;
  /** Of the look before; empty at first. */
  sighted: Sighted;
  /** The turn is over: nobody writes any more. */
  over: boolean;
  now: number;
  limits?: OutboxLimits;
}

type Judged =
  | { do: "nothing" | "later" }
  | { do: "wait"; until: number }
  | { do: "tell"; notice: Notice }
  | { do: "send"; file: OutFile };

/**
 * What is new in the outbox. Only regular files directly in it: no links, no folders, no devices. Names
 * that begin with a dot are being written or are the agent's own. Nothing is changed: what was
 * delivered is to be put into the state by `afterSending`.
 */
export function lookIntoOutbox(wish: OutboxWish): OutboxLook {
  const { folder, now } = wish;
  const files: OutFile[] = [];
  const notices: Notice[] = [];
  const sighted = new Map<string, Sight>(wish.sighted);
  let again: number | undefined;
  const later = (at: number) => again = Math.min(again ?? Infinity, at);

  using held = holdOutbox(folder);
  if (held === undefined) return { files, notices, sighted: new Map(), again };
  if ("broken" in held) {
    const notice = noticeOf(wish, "", held.broken, held.broken);
    return { files, notices: notice === undefined ? [] : [notice], sighted, again };
  }
  const names = readdirSync(held.base).filter((name) => !name.startsWith(".")).sort();
  notices.push(...vanished(wish, held.base, names, sighted));
  for (const name of names) {
    const judged = judge(`${held.base}/${name}`, name, wish, sighted, roomFor(files, wish));
    if (judged.do === "tell") notices.push(judged.notice);
    if (judged.do === "send") files.push(judged.file);
    if (judged.do === "wait") later(judged.until);
    if (judged.do === "later") later(now);
  }
  return { files, notices, sighted, again };
}

/** Of files that were seen and never sent; one that has another name now is still there. */
function vanished(
  wish: OutboxWish,
  base: string,
  names: readonly string[],
  sighted: Map<string, Sight>,
): Notice[] {
  const gone = [...sighted].filter(([name]) => !names.includes(name));
  if (gone.length === 0) return [];
  for (const [name] of gone) sighted.delete(name);
  const all = readdirSync(base).map((name) => sightFile(`${base}/${name}`));
  const marks = new Set(all.flatMap((one) => one === undefined || "no" in one ? [] : one.mark));
  return gone.flatMap(([name, { key, mark }]) =>
    key !== undefined || marks.has(mark)
      ? []
      : noticeOf(wish, name, `gone ${mark}`, "it was gone before it could be read") ?? []
  );
}

/** Bytes that the message still takes. */
function roomFor(files: readonly OutFile[], { limits = OUTBOX_LIMITS }: OutboxWish): number {
  if (files.length >= limits.files) return 0;
  // A single file always has room, however large files may be in this place.
  const most = Math.max(limits.messageBytes, limits.fileBytes);
  return most - files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function judge(
  path: string,
  name: string,
  wish: OutboxWish,
  sighted: Map<string, Sight>,
  room: number,
): Judged {
  const { state, now, limits = OUTBOX_LIMITS } = wish;
  const found = sightFile(path);
  if (found === undefined) return { do: "nothing" };
  if ("no" in found) return told(wish, name, found.no, found.no);
  const before = sighted.get(name);
  const sight = before?.mark === found.mark ? before : { mark: found.mark, since: now };
  sighted.set(name, sight);
  if (sight.key !== undefined && state.sent.includes(sight.key)) return { do: "nothing" };
  if (!wish.over && now - sight.since < RESTS_MS) {
    return { do: "wait", until: sight.since + RESTS_MS };
  }
  if (found.bytes > limits.fileBytes) {
    const most = bytesText(limits.fileBytes);
    return told(
      wish,
      name,
      found.mark,
      `it has ${bytesText(found.bytes)}, and ${most} is the most`,
    );
  }
  if (found.bytes === 0) return told(wish, name, found.mark, "it is empty");
  if (found.bytes > room) return { do: "later" };
  const content = readFound(path, found);
  if (content === undefined) return { do: "wait", until: now + RESTS_MS };
  const key = digest(name, content);
  sighted.set(name, { ...sight, key });
  if (state.sent.includes(key)) return { do: "nothing" };
  const file = { name: safeName(name), path: join(wish.folder, OUTBOX, name), key, content };
  return { do: "send", file: { ...file, bytes: content.byteLength } };
}

function told(wish: OutboxWish, name: string, mark: string, why: string): Judged {
  const notice = noticeOf(wish, name, mark, why);
  return notice === undefined ? { do: "nothing" } : { do: "tell", notice };
}

/** Undefined when it was said before. */
function noticeOf(
  { folder, state }: OutboxWish,
  name: string,
  mark: string,
  why: string,
): Notice | undefined {
  const key = digest(name, mark);
  const path = codeSpan(join(folder, OUTBOX, name), 500);
  return state.told.includes(key) ? undefined : { key, text: `⚠️ ${path} was not sent: ${why}` };
}

/** The state after files arrived, and after notices were said; what failed is left out and comes again. */
export function afterSending(
  { sent, told }: OutboxState,
  done: { files?: readonly Pick<OutFile, "key">[]; notices?: readonly { key: string }[] },
): OutboxState {
  const more = (before: readonly string[], keys: readonly { key: string }[] = []) =>
    [...new Set([...before, ...keys.map(({ key }) => key)])].slice(-MOST_REMEMBERED);
  return { sent: more(sent, done.files), told: more(told, done.notices) };
}

/** Which of the files that were to be sent are missing in what the service says it has. */
export function undelivered(
  expected: readonly Pick<OutFile, "name" | "bytes" | "key">[],
  delivered: readonly { name: string; bytes: number }[],
): readonly Pick<OutFile, "name" | "bytes" | "key">[] {
  const left = [...delivered];
  return expected.filter(({ bytes }) => {
    // Services change names as they like; the size they keep.
    const at = left.findIndex((one) => one.bytes === bytes);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function holdOutbox(folder: string) {
  try {
    return holdFolder(folder, OUTBOX);
  } catch (error) {
    const code = codeOf(error);
    const isOdd = code === "ELOOP" || code === "ENOTDIR";
    const broken = isOdd ? "it is not a folder of its own" : `it cannot be read (${code})`;
    return { broken, [Symbol.dispose]() {} };
  }
}

function digest(name: string, content: string | Uint8Array): string {
  return createHash("sha256").update(`${name}\n`).update(content).digest("base64url").slice(0, 22);
}
