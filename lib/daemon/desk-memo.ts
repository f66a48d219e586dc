/** Answers that stay true while a file has not changed, the youngest `most` weights of them. */
export interface Memo<T> {
  /** What was remembered under the key, if it was made of the same `stamp`. */
  get(key: string, stamp: string): T | undefined;
  set(key: string, stamp: string, value: T, weight?: number): void;
}

export function createMemo<T>(most: number): Memo<T> {
  const kept = new Map<string, { stamp: string; value: T; weight: number }>();
  let total = 0;

  function forget(key: string): void {
    total -= kept.get(key)?.weight ?? 0;
    kept.delete(key);
  }

  return {
    get(key, stamp) {
      const found = kept.get(key);
      if (found?.stamp !== stamp) return undefined;
      // Used last, it is forgotten last.
      kept.delete(key);
      kept.set(key, found);
      return found.value;
    },
    set(key, stamp, value, weight = 1) {
      forget(key);
      if (weight > most) return;
      kept.set(key, { stamp, value, weight });
      total += weight;
      for (const oldest of kept.keys()) {
        if (total <= most) return;
        forget(oldest);
      }
    },
  };
}
