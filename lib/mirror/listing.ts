/** What jobs write on the host, below `.hyperherd`, and herd wants here. */
export const COMING = ["events", "logs", "results"] as const;

/** Below `.hyperherd` there: whose jobs are sent from that folder. */
export const MARKER = "mirror-of.json";

/** A file of theirs as `find` saw it. */
export interface Listed {
  /** Below `.hyperherd`, such as `events/ab12/3.tsv`. */
  path: string;
  size: number;
  /** Seconds since the epoch as `find` writes them: equal texts are equal times. */
  modified: string;
  inode: string;
}

export interface Listing {
  /** The clock of the disk there when it was asked; milliseconds since the epoch. */
  at: number;
  /** Text of the marker, in one line; empty where there is none. */
  marker: string;
  files: readonly Listed[];
  /** Not everything could be looked at. */
  isPartial: boolean;
}

/**
 * Lists what was changed since a time. `$1`: the folder of the workspace; `$2`: seconds since the
 * epoch, or nothing for all files. By the time of change (ctime), which no job can set back, and by
 * the clock of the disk, which may be a file server's: a file that is touched tells it. The host
 * needs GNU find. Exit code 3: there is no such folder.
 */
export const LIST_SCRIPT = `cd -- "$1/.hyperherd" 2>/dev/null || exit 3
touch mirror-clock 2>/dev/null && find mirror-clock -printf '%T@\\n' 2>/dev/null || date +%s.%N
cat ${MARKER} 2>/dev/null | tr '\\n\\0' '  '; echo
if [ -n "$2" ]; then set -- -newerct "@$2"; else set --; fi
find ${
  COMING.join(" ")
} -name _lock -prune -o -type f ! -name _signal "$@" -printf '%T@ %s %i %p\\0'
printf 'end %s' "$?"`;

/** What LIST_SCRIPT printed; undefined when that is no listing. */
export function parseListing(output: string): Listing | undefined {
  const [first = "", marker = ""] = output.split("\n", 2);
  const at = Number(first) * 1000;
  const entries = output.slice(first.length + marker.length + 2).split("\0");
  const end = /^end (\d+)$/.exec(entries.pop() ?? "");
  if (!(at > 0) || end === null) return undefined;
  return { at, marker, files: entries.flatMap(parseEntry), isPartial: end[1] !== "0" };
}

/** A path that leads elsewhere is nobody's who lists these folders. */
function parseEntry(entry: string): Listed[] {
  const [, modified, size, inode, path] = /^(\d+(?:\.\d+)?) (\d+) (\d+) ([^\0]+)$/s.exec(entry) ??
    [];
  if (modified === undefined || path === undefined || !isOurs(path)) return [];
  return [{ path, size: Number(size), modified, inode: inode! }];
}

function isOurs(path: string): boolean {
  const segments = path.split("/");
  return COMING.some((one) => one === segments[0]) && segments.length > 1 &&
    segments.every((one) => one !== "" && one !== "." && one !== "..");
}
