import type { HostFacts } from "./host-facts.ts";

export interface Stillborn {
  /** Goes behind a colon: what keeps the new executable from starting there. */
  why: string;
  hint: string;
}

/** As a shell tells of it: an exit code, or 128 and a signal. */
export interface Start {
  code: number;
  /** What it or the shell printed. */
  said: string;
}

/** What a start that failed is about. */
export function whyNotStarting(
  { code, said }: Start,
  { path, libc }: Pick<HostFacts, "path" | "libc">,
): Stillborn {
  const folder = path.replace(/\/[^/]*$/, "") || "/";
  const glibc = /version [`'"]?(GLIBC_[\d.]+)'? not found/.exec(said)?.[1];
  if (glibc !== undefined) {
    return {
      why: `its C library is too old: ${glibc.replace("_", " ")} is missing` +
        (libc?.version === undefined ? "" : `, glibc ${libc.version} is there`),
      hint: "Another login node may be newer; or run the sweep from here: herd monitor --host",
    };
  }
  if (code === 126 && /permission denied/i.test(said)) {
    return {
      why: `nothing may be executed in "${folder}"`,
      hint:
        "The folder is on a file system that is mounted noexec, or rules of the site forbid it: " +
        "choose another one, herd deploy HOST:PATH",
    };
  }
  if (code === 126 && /exec format error|cannot execute/i.test(said)) {
    return { why: "it is made for another processor", hint: "Name the right file: --binary FILE" };
  }
  if (code === 126 && /text file busy/i.test(said)) {
    return { why: "it is still being written", hint: "Try again in a minute" };
  }
  const library = /loading shared librar(?:y|ies):? (lib[^\s:]+)/.exec(said)?.[1];
  if (library !== undefined) {
    return {
      why: `the library "${library}" is missing there`,
      hint: /^lib(stdc\+\+|gcc)/.test(library)
        ? "Its operators can add it, on Alpine with: apk add libstdc++"
        : "Its operators can add it",
    };
  }
  if (code === 127) {
    return {
      why: "the program that starts such executables is missing",
      hint:
        "The host has another C library than this build is for: name the right file with --binary",
    };
  }
  if (code === 132) {
    return {
      why: "its processor lacks an instruction that this build needs",
      hint: "The baseline build runs there: --binary herd-linux-x64-baseline",
    };
  }
  if (code === 137 || /cannot allocate memory|out of memory|mmap/i.test(said)) {
    return {
      why: "it was given too little memory",
      hint: `A limit of the login node is in the way (ulimit -a there)`,
    };
  }
  if (code === 124) return { why: "it does not answer within 20 s", hint: "Try again" };
  return {
    why: said === "" ? `it ends with code ${code}` : `it ends with code ${code} and says "${said}"`,
    hint: "What is there was left as it is",
  };
}
