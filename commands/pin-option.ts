import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { OptionSpec } from "../lib/base/arguments.ts";

/**
 * `--pin a=1 b=2`: the bare words after it that hold "=" are pins too, unless a
 * path of that name exists, so that a workspace after the pins stays a workspace.
 */
export const PIN_OPTION = {
  name: "pin",
  short: "p",
  value: "NAME=VALUE",
  repeatable: true,
  more: (word: string, cwd: string) => word.includes("=") && !existsSync(resolve(cwd, word)),
  description: "Only trials with this value; several pins must all hold",
} as const satisfies OptionSpec;
