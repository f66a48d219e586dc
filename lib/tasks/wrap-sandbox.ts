import type { Sandbox } from "./sandbox.ts";

/**
 * Turns the words of a program into the words that run it confined. `folder` is the attempt's own;
 * `reads` and `writes` are further paths that the backend needs, such as a program's installation.
 * A refusal is one sentence for people; the program must then not be started at all.
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
