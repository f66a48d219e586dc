import type { OptionSpec } from "../lib/base/arguments.ts";

/** Where jobs run, for commands that may begin a sweep. */
export const HOST_OPTION = {
  name: "host",
  value: "NAME",
  description:
    'Jobs run on this host, reached by ssh, from now on; "" forgets it: as the YAML says',
} as const satisfies OptionSpec;
