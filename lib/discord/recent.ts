/** Remembers the last of what it was asked about, and no more. */
export interface Recent {
  /** Whether `key` was not among them; it is now. */
  isNew(key: string): boolean;
}

export function createRecent(most: number): Recent {
  // A set keeps the order in which it was filled.
  const keys = new Set<string>();
  return {
    isNew(key) {
      if (keys.has(key)) return false;
      keys.add(key);
      if (keys.size > most) keys.delete(keys.values().next().value!);
      return true;
    },
  };
}
