import { SchedulerError, UserError } from "../base/errors.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { type HostFacts, readHostFacts } from "./host-facts.ts";

/** Whichever of these the host has; each prints 64 digits somewhere. */
export const HASH = `hash_of() {
  sha256sum <"$1" 2>/dev/null || shasum -a 256 <"$1" 2>/dev/null ||
    openssl dgst -sha256 <"$1" 2>/dev/null || sha256 -q <"$1" 2>/dev/null
}`;

/** This very text is in each executable of herd's: nothing else is started there, or replaced. */
const IS_HERD = `is_herd() {
  [ "$(head -c 4 "$1" | tail -c 3)" = ELF ] && grep -qF 'is_herd knows its own' "$1"
} 2>/dev/null`;

/** Starts "$1" with --version; a program that never answers is given up where the host can do that. */
export const VERSION = `version_of() {
  if command -v timeout >/dev/null 2>&1; then timeout 20 "$1" --version </dev/null 2>&1
  else "$1" --version </dev/null 2>&1; fi
}`;

/** For any /bin/sh; a line for each fact, and nothing is changed. "$1" is the path. */
const ASK_HOST = `LC_ALL=C; export LC_ALL
say() { printf 'herd.%s=%s\\n' "$1" "$(printf %s "$2" | tr '\\n' ' ')"; }
${HASH}
${IS_HERD}
${VERSION}
lying() {
  if [ -L "$2" ]; then say "$1.kind" link
  elif [ -d "$2" ]; then say "$1.kind" folder
  elif [ -f "$2" ]; then say "$1.kind" file
  elif [ -e "$2" ]; then say "$1.kind" other
  fi
  if [ -f "$2" ]; then
    say "$1.hash" "$(hash_of "$2")"
    if is_herd "$2"; then
      say "$1.herd" yes
      says=$(version_of "$2"); say "$1.code" $?
      say "$1.says" "$(printf '%s\\n' "$says" | head -n 1 | cut -c 1-300)"
    fi
  fi
}
case $1 in /*) p=$1 ;; *) p=$HOME/$1 ;; esac
say path "$p"
say name "$(uname -n)"
say system "$(uname -s)"
say processor "$(uname -m)"
if libc=$(getconf GNU_LIBC_VERSION 2>/dev/null); then say libc "$libc"
else
  for f in /lib/ld-musl-*; do
    [ -e "$f" ] && say libc "musl $(ldd --version 2>&1 | sed -n 's/^Version //p')"
  done
fi
grep -qw avx2 /proc/cpuinfo 2>/dev/null && say avx2 yes
lying there "$p"
lying previous "$p.previous"
e=\${p%/*}
while [ "$e" != "" ] && [ ! -e "$e" ]; do e=\${e%/*}; done
[ "$e" = "" ] && e=/
say above "$e"
[ -d "$e" ] && say above.kind folder
[ -w "$e" ] && say above.writable yes
say df "$(df -Pk "$e" 2>/dev/null | tail -n 1)"
case "$SHELL" in
  */bash|*/zsh|*/ksh|*/sh|*/dash) found=$("$SHELL" -l -c 'printf %s "$PATH" >&3' 3>&1 >/dev/null 2>&1 </dev/null) ;;
  */fish) found=$("$SHELL" -l -c 'string join : $PATH >&3' 3>&1 >/dev/null 2>&1 </dev/null) ;;
  *) found= ;;
esac
say searched "\${found:-$PATH}"
daemons=
for f in "\${XDG_STATE_HOME:-$HOME/.local/state}"/herd/*/daemon.json; do
  [ -f "$f" ] || continue
  f=\${f%/daemon.json}
  daemons=$daemons/\${f##*/}
done
say daemons "$daemons"
say end yes
`;

const WITHIN_MS = 90_000;

/** Asks the host what it is and has, in one exchange. Throws SchedulerError or UserError. */
export async function askHost(
  host: SshHost,
  path: string,
  signal: AbortSignal,
): Promise<HostFacts> {
  const ended = await runScript(host, ASK_HOST, [path], signal);
  const facts = readHostFacts(ended.stdout);
  if (facts !== undefined) return facts;
  throw new UserError(`Cannot find out what "${host.name}" is: it did not answer as a shell does`, {
    hint: `Does ssh ${host.name} 'uname -a' work? ${lastOf(ended.stderr) || lastOf(ended.stdout)}`,
  });
}

/** Runs a script of ours to its end, whatever its exit code. Throws when nobody knows how it ended. */
export async function runScript(
  host: SshHost,
  script: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<{ stdout: string; stderr: string }> {
  const ended = await host.run(["/bin/sh", "-c", script, "sh", ...words], {
    timeoutMs: WITHIN_MS,
    signal,
  });
  signal.throwIfAborted();
  const why = ended.lost ?? ended.spawnError ?? (ended.timedOut ? "it took too long" : undefined);
  if (why === undefined) return ended;
  throw new SchedulerError("unreachable", `Cannot run anything on "${host.name}": ${why}`);
}

function lastOf(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(0, 200) ?? "";
}
