/** Put in by `scripts/compile.ts`; absent when the source itself runs. */
declare const HERD_VERSION: string;
declare const HERD_COMMIT: string;
declare const HERD_TARGET: string;

/** What this executable was made from. */
export interface Build {
  version: string;
  commit: string;
  compiled: boolean;
  /** As `scripts/compile.ts` calls it, such as `x64-baseline`; undefined for the source itself. */
  target: string | undefined;
}

/** Which way a running daemon hands over to its successor; both must know the same one. */
export const HANDOVER_VERSION = 1;

export function currentBuild(): Build {
  const compiled = typeof HERD_VERSION === "string";
  return {
    version: compiled ? HERD_VERSION : "development",
    commit: compiled ? HERD_COMMIT : "unknown",
    compiled,
    target: compiled ? HERD_TARGET : undefined,
  };
}

/** Name and version of what runs the program, such as `bun 1.4.5`. */
export function currentRuntime(): string {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>;
  if (bun !== undefined) return `bun ${bun}`;
  return deno === undefined ? `node ${node}` : `deno ${deno}`;
}
