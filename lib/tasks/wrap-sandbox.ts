import type { Sandbox } from "./sandbox.ts";

/**
 * The command line that runs `argv` within a sandbox, or why it cannot be run there: one sentence
 * without a period. `reads` and `writes` are absolute paths that may be reached beside the folder.
 */
export type WrapSandbox = (
  argv: readonly string[],
  parts: {
    sandbox: Sandbox;
    folder: string;
    reads?: readonly string[];
    writes?: readonly string[];
  },
) => { argv: string[] } | { refused: string };
