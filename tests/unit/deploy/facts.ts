import type { HostFacts } from "../../../lib/deploy/host-facts.ts";

/** A usual login node where nothing lies yet. */
export function hostFacts(more: Partial<HostFacts> = {}): HostFacts {
  return {
    system: "Linux",
    processor: "x86_64",
    libc: { kind: "glibc", version: "2.31" },
    avx2: true,
    name: "login1",
    path: "/home/ana/.local/bin/herd",
    there: undefined,
    previous: undefined,
    freeBytes: 1e9,
    above: { path: "/home/ana", isFolder: true, isWritable: true },
    searched: ["/usr/bin"],
    daemons: [],
    ...more,
  };
}
