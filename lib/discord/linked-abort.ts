/** A signal that follows others until it is let go. */
export interface LinkedAbort extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Aborts when any of `sources` does. Unlike `AbortSignal.any` it leaves nothing behind at a source
 * that lives for weeks: disposing takes its listeners away.
 */
export function linkAbort(sources: readonly (AbortSignal | undefined)[]): LinkedAbort {
  const own = new AbortController();
  const undo: (() => void)[] = [];
  for (const source of sources) {
    if (source === undefined) continue;
    const stop = () => own.abort(source.reason);
    if (source.aborted) stop();
    else {
      source.addEventListener("abort", stop, { once: true });
      undo.push(() => source.removeEventListener("abort", stop));
    }
  }
  return {
    signal: own.signal,
    [Symbol.dispose]() {
      for (const each of undo) each();
    },
  };
}

/** As its source, and with a time-out after `ms`; disposing takes the timer away. */
export function limitTime(ms: number, source: AbortSignal): LinkedAbort {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new DOMException("Timed out", "TimeoutError")), ms);
  const linked = linkAbort([over.signal, source]);
  return {
    signal: linked.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      linked[Symbol.dispose]();
    },
  };
}
