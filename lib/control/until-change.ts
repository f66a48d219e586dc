/** Waits until something holds, for at most `ms`; looks whenever `onChange` tells of news. */
export async function untilChange(
  onChange: (listener: () => void) => () => void,
  holds: () => boolean,
  { ms, signal }: { ms: number; signal: AbortSignal },
): Promise<void> {
  if (ms <= 0 || signal.aborted || holds()) return;
  const done = Promise.withResolvers<void>();
  const look = () => {
    try {
      if (holds()) done.resolve();
    } catch (error) {
      done.reject(error);
    }
  };
  const end = () => done.resolve();
  const stop = onChange(look);
  const timer = setTimeout(end, ms);
  signal.addEventListener("abort", end, { once: true });
  try {
    await done.promise;
  } finally {
    stop();
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}
