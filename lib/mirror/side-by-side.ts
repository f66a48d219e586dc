/**
 * Does something with each item, so many at a time. After a failure no further one is begun, and
 * it rejects with that failure when those under way are over.
 */
export async function sideBySide<T>(
  items: readonly T[],
  most: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { error: unknown } | undefined;
  async function lane(): Promise<void> {
    while (next < items.length && failure === undefined) {
      try {
        await act(items[next++]!);
      } catch (error) {
        failure ??= { error };
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, lane));
  if (failure !== undefined) throw failure.error;
}
