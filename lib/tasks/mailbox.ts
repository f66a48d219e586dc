/** What somebody has put into a mailbox, as it stands now. */
export interface Letter {
  id: string;
  /** When it was written or changed last, by the mailbox's own clock. Milliseconds since the epoch. */
  at: number;
  /** Its JSON; undefined when it has none. */
  text(signal?: AbortSignal): Promise<string | undefined>;
}

/** A file beside a letter. */
export interface MailedFile {
  name: string;
  bytes: Uint8Array;
}

/**
 * One side of a mailbox that two share: each has one letter in it, which it changes in place, and
 * sees the other's. What anybody else writes there is not seen. Every call may throw; a failure
 * with `kind` `missing` says that the mailbox is gone, `forbidden` that it is closed to this side.
 */
export interface Mailbox {
  /** Reads it: what stands there, and the mailbox's clock at that time. */
  look(signal?: AbortSignal): Promise<{ letter: Letter | undefined; now: number }>;
  /** Resolves when it is certain that the letter stands there. `line` is for people. */
  put(letter: { line: string; json: Readonly<Record<string, unknown>> }): Promise<void>;
  /** A message of its own with files; answers its id. */
  attach(line: string, files: readonly MailedFile[]): Promise<string>;
  /** The files of such a message of the other side; none when it is not its. */
  files(id: string, signal?: AbortSignal): Promise<readonly MailedFile[]>;
  /** The mailbox's own clock; milliseconds since the epoch. */
  now(): number;
  /** Whether letters come by themselves now; otherwise they have to be looked for. */
  isLive(): boolean;
  /** Hears of letters that come by themselves: late, twice, out of order, or never. */
  onLetter(listener: (letter: Letter) => void): () => void;
}

/** Whether a mailbox's failure is for good until people do something. */
export function isClosed(error: unknown): "missing" | "forbidden" | undefined {
  const { kind } = error as { kind?: unknown };
  return kind === "missing" || kind === "forbidden" ? kind : undefined;
}
