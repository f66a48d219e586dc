/**
 * Runs the rest of the command line and waits on descriptor 3, whose other end this process holds:
 * when that is gone the whole group is ended. A shell gives what it starts in the background no
 * input of its own accord.
 */
const GUARD = 'exec 4<&0; "$@" <&4 3<&- 4<&- & child=$!; exec 4<&-; ' +
  "(read -r _ <&3; kill -KILL 0) & guard=$!; " +
  'wait "$child"; code=$?; kill "$guard"; exit "$code"';

/**
 * A command line that ends, group and all, when the pipe at its descriptor 3 is closed: a child that
 * is started with it, and `detached`, ends with this process however that ends. Costs a small shell.
 */
export function guarded(argv: readonly string[]): string[] {
  return ["/bin/sh", "-c", GUARD, "herd-guard", ...argv];
}
