/**
 * The end of a script for /bin/sh: what stands in "$@" as a terminal would start it, with the login
 * shell's own paths, of which SLURM's may be some. What such a shell prints of its own goes to the
 * error output, so that the output is the program's alone.
 */
export const EXEC_AS_LOGIN = `case "$SHELL" in
  */bash|*/zsh|*/ksh|*/sh|*/dash) exec "$SHELL" -l -c 'exec "$@" >&3 3>&-' sh "$@" 3>&1 >&2 ;;
  */fish) exec "$SHELL" -l -c 'exec $argv >&3 3>&-' "$@" 3>&1 >&2 ;;
  *) exec "$@" ;;
esac`;

/** A command line as a login shell of the host runs it. */
export function asLogin(argv: readonly string[]): string[] {
  return ["/bin/sh", "-c", EXEC_AS_LOGIN, "sh", ...argv];
}
