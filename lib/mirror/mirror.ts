import type { ChosenFiles } from "./choose-files.ts";
import type { Clearing } from "./clear-there.ts";
import type { Lack } from "./examine-there.ts";
import type { PullOptions, PullReport } from "./pull.ts";
import type { PushReport } from "./push.ts";
import type { ThereAndFacts } from "./there-and-facts.ts";

/**
 * A workspace whose jobs run on another computer: here is the truth, there is a copy of what jobs
 * need, and what they write comes here. Everything rejects with MirrorError, or with UserError
 * where the YAML is wrong.
 */
export interface Mirror extends AsyncDisposable {
  readonly host: string;
  /** Undefined before it was opened once in this process. */
  there(): ThereAndFacts | undefined;
  /** Connects and learns what the host is and whether the folder there can be ours; changes nothing. */
  survey(signal?: AbortSignal): Promise<ThereAndFacts>;
  /** Deletes there what is deleted here; nothing where nothing of ours is there. */
  clear(what: Clearing, signal?: AbortSignal): Promise<void>;
  /** What keeps jobs from running there; changes nothing. */
  examine(signal?: AbortSignal): Promise<readonly Lack[]>;
  /** What `push` would have there beside herd's own files. Throws MirrorError. */
  chosen(): ChosenFiles;
  /** When the listing was made that the last pull brought; undefined before the first. */
  pulledAt(): number | undefined;
  /** False where more was written there than was fetched so far, in an earlier life too. */
  isWhole(): boolean;
  /** Connects, finds or makes the folder there, and learns what the host is. Once. */
  open(signal?: AbortSignal): Promise<ThereAndFacts>;
  /** Brings what jobs had written by now. */
  pull(options?: PullOptions): Promise<PullReport>;
  /** When it resolves everything that a job needs is there. */
  push(signal?: AbortSignal): Promise<PushReport>;
  /** When it resolves what jobs are told is there; the files of `sync` stay as they are. */
  tell(signal?: AbortSignal): Promise<void>;
  /** The same, unless nothing was told since the last time. */
  settle(signal?: AbortSignal): Promise<void>;
  /** Something for jobs was written here: it goes there soon, and with the next `pull` at the latest. */
  touched(): void;
}
