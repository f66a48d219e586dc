/** Resolves when it is so; rejects after two real seconds. */
export async function soon(what: string, is: () => boolean): Promise<void> {
  const end = Date.now() + 2_000;
  while (!is()) {
    if (Date.now() > end) throw new Error(`Never: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
