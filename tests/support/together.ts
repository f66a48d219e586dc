/**
 * Runs tests of one file at the same time, since they wait for SLURM most of
 * theirs: `const together = createTogether(); test("…", together(async () => …))`.
 * The first test that starts starts them all; each reports its own result.
 */
export function createTogether(): (run: () => Promise<void>) => () => Promise<void> {
  const all: (() => Promise<void>)[] = [];
  let running: Promise<void>[] | undefined;
  return (run) => {
    const position = all.push(run) - 1;
    return () => {
      running ??= all.map((one) => one());
      // A failure is told by the test that it belongs to, which may not have begun yet.
      for (const one of running) one.catch(() => {});
      return running[position]!;
    };
  };
}
