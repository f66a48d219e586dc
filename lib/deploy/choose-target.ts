import type { HostFacts } from "./host-facts.ts";

/** What `scripts/compile.ts` can make. */
export type Target = "x64" | "x64-baseline" | "arm64" | "x64-musl" | "x64-musl-baseline";

/** Builds that run there, the best one first; or why none does. */
export type Choice = { targets: readonly Target[] } | { refused: string; hint: string };

/** The oldest glibc that the builds start with. */
const LEAST_GLIBC = "2.17";

const BY_PROCESSOR: Readonly<Record<string, "x64" | "arm64">> = {
  x86_64: "x64",
  amd64: "x64",
  aarch64: "arm64",
  arm64: "arm64",
};

/** Which build a host needs. */
export function chooseTarget(
  { system, processor, libc, avx2 }: Pick<HostFacts, "system" | "processor" | "libc" | "avx2">,
): Choice {
  if (system !== "Linux") {
    return {
      refused: `it runs ${system || "an unknown system"}, and herd is made for Linux`,
      hint: "Deploy to the login node itself, and reach it from here with herd --host",
    };
  }
  const family = BY_PROCESSOR[processor];
  if (family === undefined) {
    return {
      refused: `its processor is ${
        processor || "unknown"
      }, and herd is made for x86_64 and aarch64`,
      hint: "Another login node may have one of these",
    };
  }
  if (libc?.kind === "musl") {
    if (family === "arm64") {
      return {
        refused: "its C library is musl, and herd for aarch64 is made for glibc",
        hint: "Run it in a container with glibc there, or run the sweep from here: " +
          "herd monitor --host",
      };
    }
    return { targets: avx2 ? ["x64-musl", "x64-musl-baseline"] : ["x64-musl-baseline"] };
  }
  if (libc?.version !== undefined && isOlder(libc.version, LEAST_GLIBC)) {
    return {
      refused: `its glibc is ${libc.version}, and herd needs ${LEAST_GLIBC} or later`,
      hint: "Run the sweep from here: herd monitor --host",
    };
  }
  if (family === "arm64") return { targets: ["arm64"] };
  return { targets: avx2 ? ["x64", "x64-baseline"] : ["x64-baseline"] };
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((one) => one.split(".").map(Number));
  for (const [index, least] of b!.entries()) {
    const found = a![index] ?? 0;
    if (found !== least) return found < least;
  }
  return false;
}
