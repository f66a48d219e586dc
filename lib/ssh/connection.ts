import type { Clock } from "../base/clock.ts";
import type { SshLink } from "./open-link.ts";
import { SshError } from "./ssh-error.ts";
import type { SshState } from "./ssh-host.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** One link at a time, made when it is wanted and made again after a cut. */
export interface Connection {
  readonly state: SshState;
  onState(listener: (state: SshState) => void): () => void;
  /**
   * The link that stands, or a new one. `person`: somebody waits and may be asked, so it is
   * tried at once and also after a refusal; otherwise it waits out the back-off, and tries
   * again for `patienceMs`, or until the signal ends that. Rejects with SshError, or with the
   * signal's reason.
   */
  link(options: { person: boolean; patienceMs: number; signal?: AbortSignal }): Promise<SshLink>;
  close(): Promise<void>;
}

export interface ConnectionParts {
  name: string;
  clock: Clock;
  random(): number;
  /** Makes a link; `asked` is called when a person was asked for something. */
  open(signal: AbortSignal, asked: () => void): Promise<SshLink>;
}

/** Milliseconds: 1 s, 2 s, … up to a minute, each between half and all of that. */
const FIRST_MS = 1000;
const MOST_MS = 60_000;

export function createConnection({ name, clock, random, open }: ConnectionParts): Connection {
  let state: SshState = { kind: "idle" };
  let standing: SshLink | undefined;
  let opening: Promise<SshLink> | undefined;
  let failures = 0;
  const listeners = new Set<(state: SshState) => void>();
  const over = new AbortController();

  function become(next: SshState): void {
    state = next;
    for (const listener of [...listeners]) listener(next);
  }

  function start(): Promise<SshLink> {
    let asked = false;
    become({ kind: "connecting", since: clock.now() });
    return opening = open(over.signal, () => asked = true).then((link) => {
      opening = undefined;
      if (over.signal.aborted) {
        void link.close();
        throw over.signal.reason;
      }
      standing = link;
      failures = 0;
      become({ kind: "connected", since: clock.now(), facts: link.facts });
      void link.ended.then((error) => lose(link, error));
      return link;
    }, (error) => {
      opening = undefined;
      if (over.signal.aborted) throw over.signal.reason;
      throw fail(error, asked);
    });
  }

  function lose(link: SshLink, error: SshError | undefined): void {
    if (standing !== link) return;
    standing = undefined;
    if (over.signal.aborted) return;
    if (error === undefined) become({ kind: "idle" });
    else wait(error, 0);
  }

  /** Whoever gave a code is not asked for another one in a loop. */
  function fail(error: unknown, asked: boolean): SshError {
    const trouble = error instanceof SshError
      ? error
      : new SshError("config", name, (error as Error).message, { cause: error });
    if (!trouble.passing || asked) become({ kind: "refused", since: clock.now(), error: trouble });
    else wait(trouble, ++failures);
    return trouble;
  }

  function wait(error: SshError, attempts: number): void {
    const most = attempts === 0 ? 0 : Math.min(MOST_MS, FIRST_MS * 2 ** (attempts - 1));
    const notBefore = clock.now() + most * (0.5 + random() / 2);
    become({ kind: "waiting", since: clock.now(), notBefore, attempts, error });
  }

  async function link(
    { person, patienceMs, signal }: Parameters<Connection["link"]>[0],
  ): Promise<SshLink> {
    const until = clock.now() + patienceMs;
    for (;;) {
      over.signal.throwIfAborted();
      signal?.throwIfAborted();
      if (standing !== undefined) return standing;
      if (opening === undefined && !person) {
        if (state.kind === "refused") throw state.error;
        if (state.kind === "waiting") {
          const ms = state.notBefore - clock.now();
          if (ms > 0 && state.notBefore > until) throw state.error;
          if (ms > 0) {
            await clock.sleep(ms, any(over.signal, signal));
            continue;
          }
        }
      }
      try {
        return await unlessAborted(opening ?? start(), signal);
      } catch (error) {
        const isInTime = clock.now() < until;
        const again = isInTime && !person && error instanceof SshError && error.passing;
        if (!again) throw error;
      }
    }
  }

  return {
    get state() {
      return state;
    },
    onState(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    link,
    async close() {
      if (over.signal.aborted) return;
      over.abort(new SshError("lost", name, `The connection to "${name}" was closed here`));
      await opening?.catch(() => {});
      const last = standing;
      standing = undefined;
      await last?.close();
      become({ kind: "closed" });
    },
  };
}

function any(one: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  return other === undefined ? one : AbortSignal.any([one, other]);
}
