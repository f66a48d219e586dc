import type { Entry } from "./command.ts";

export const TABLE: readonly Entry[] = [
  { name: "run", group: "Run", load: () => import("./run.ts") },
  { name: "status", group: "Look", load: () => import("./status.ts") },
  {
    name: "local-supervisor",
    group: "Internal",
    hidden: true,
    load: () => import("./local-supervisor.ts"),
  },
  { name: "help", group: "About herd", load: () => import("./help.ts") },
  { name: "completions", group: "About herd", load: () => import("./completions.ts") },
  { name: "version", group: "About herd", load: () => import("./version.ts") },
];
