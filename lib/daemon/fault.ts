/**
 * A test's way to end the program at a named point: `HERD_FAULT=after-intent`
 * kills it there as `kill -9` would, `HERD_FAULT=after-intent:3` at the third
 * time it comes by. Does nothing unless `HERD_TEST_HOOKS=1` is set as well: a
 * variable that somebody's shell happens to have must not kill anything.
 */
export function createFault(
  env: Readonly<Record<string, string | undefined>>,
): (point: string) => void {
  const setting = env["HERD_TEST_HOOKS"] === "1" ? env["HERD_FAULT"] : undefined;
  if (setting === undefined || setting === "") return () => {};
  const [wanted, times] = setting.split(":");
  let left = Number(times ?? 1);
  return (point) => {
    if (point === wanted && --left === 0) process.kill(process.pid, "SIGKILL");
  };
}
