/** A herd, or whatever else lies where herd is to lie. */
export interface Lying {
  kind: "file" | "folder" | "link" | "other";
  /** In small letters; undefined where nothing there can compute it. */
  sha256: string | undefined;
  /** Whether it is an executable of herd's, perhaps for another machine. Nothing else is started. */
  isHerd: boolean;
  /** The first line that it prints for `--version`; undefined: it does not start. */
  says: string | undefined;
}

/** What a host is and has, as far as it matters to a program that is put there. */
export interface HostFacts {
  /** As `uname` says it: `Linux`. */
  system: string;
  /** The same: `x86_64`. */
  processor: string;
  libc: { kind: "glibc" | "musl"; version: string | undefined } | undefined;
  avx2: boolean;
  /** As the host calls itself. */
  name: string;
  /** Absolute. */
  path: string;
  /** Where nothing lies there, undefined. */
  there: Lying | undefined;
  previous: Lying | undefined;
  /** Bytes that may be written; undefined where the host does not say. */
  freeBytes: number | undefined;
  /** The nearest folder above the path that exists, and whether it may be written. */
  above: { path: string; isFolder: boolean; isWritable: boolean };
  /** PATH of a login shell there. */
  searched: readonly string[];
  /** Hosts whose daemons have left their record in the home folder: they share it. */
  daemons: readonly string[];
}

const LIBC = /^(glibc|musl)(?: ([\w.]+))?$/;

/** Reads what `ASK_HOST` prints; undefined when that was cut short or is no such answer. */
export function readHostFacts(text: string): HostFacts | undefined {
  const said = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^herd\.([\w.]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) said.set(name, value ?? "");
  }
  const path = said.get("path");
  if (!said.has("end") || path === undefined) return undefined;
  const libc = LIBC.exec(said.get("libc") ?? "");
  return {
    system: said.get("system") ?? "",
    processor: said.get("processor") ?? "",
    libc: libc === null ? undefined : { kind: libc[1] as "glibc" | "musl", version: libc[2] },
    avx2: said.get("avx2") === "yes",
    name: said.get("name") ?? "",
    path,
    there: lying(said, "there"),
    previous: lying(said, "previous"),
    freeBytes: freeBytes(said.get("df") ?? ""),
    above: {
      path: said.get("above") ?? "/",
      isFolder: said.get("above.kind") === "folder",
      isWritable: said.get("above.writable") === "yes",
    },
    searched: (said.get("searched") ?? "").split(":").filter((one) => one !== ""),
    daemons: (said.get("daemons") ?? "").split("/").filter((one) => one !== ""),
  };
}

function lying(said: ReadonlyMap<string, string>, name: string): Lying | undefined {
  const kind = said.get(`${name}.kind`);
  if (kind !== "file" && kind !== "folder" && kind !== "link" && kind !== "other") return undefined;
  const sha256 = /[0-9a-f]{64}/.exec(said.get(`${name}.hash`) ?? "")?.[0];
  const says = said.get(`${name}.code`) === "0" ? said.get(`${name}.says`) : undefined;
  return { kind, sha256, isHerd: said.get(`${name}.herd`) === "yes", says };
}

/** The line of `df -Pk`: name, blocks, used, available, share, folder; names may hold spaces. */
function freeBytes(line: string): number | undefined {
  const available = /\s\d+\s+\d+\s+(-?\d+)\s+(?:\d+%|-)\s/.exec(line)?.[1];
  return available === undefined ? undefined : Math.max(0, Number(available)) * 1024;
}
