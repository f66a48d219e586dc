/**
 * A test's way to end the program at a named point: `HERD_FAULT=after-intent`
 * kills it there as `kill -9` would, `HERD_FAULT=after-intent:3` at the third
 * time it comes by. Does nothing without the variable.
 */
export function createFault(setting: string | undefined): (point: string) => void {
  if (setting === undefined || setting === "") return () => {};
  const [wanted, times] = setting.split(":");
  let left = Number(times ?? 1);
  return (point) => {
    if (point === wanted && --left === 0) process.kill(process.pid, "SIGKILL");
  };
}
