import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { NothingError, RefusedError, UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { defineCommand } from "./command.ts";
import { openWorkspace, ownCommandLine, workspacePath } from "./open.ts";

const KINDS = ["curves", "best", "parameter", "parallel"] as const;
const THEMES = ["light", "dark"] as const;

const OPTIONS = [
  { name: "kind", value: "KIND", description: `One of ${KINDS.join(", ")} (default curves)` },
  { name: "trials", short: "i", value: "SPEC", description: "Only these: 3 or 0,3,7-9" },
  { name: "parameter", value: "NAME", description: "With --kind parameter: which one" },
  {
    name: "smooth",
    value: "N",
    number: "whole",
    least: 0,
    description: "Mean over so many points before each",
  },
  { name: "theme", value: "THEME", description: "light or dark (default light)" },
  {
    name: "out",
    short: "o",
    value: "FILE",
    description: "Where to write the PNG (default plot.png)",
  },
  { name: "force", short: "f", description: "Overwrite the file" },
] as const;

export const command = defineCommand({
  name: "plot",
  summary: "Draw a metric: curves, best so far, against a parameter, parallel coordinates",
  details: "Writes a PNG that can be read on a telephone. No scheduler is asked.",
  arguments: [
    { name: "METRIC", description: "As `herd res --steps` names it" },
    { name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." },
  ],
  options: OPTIONS,
  examples: [
    { line: "herd plot loss", meaning: "every trial's curve, into plot.png" },
    { line: "herd plot val_acc sweep --kind parameter --parameter lr", meaning: "what lr does" },
  ],
  async run(context) {
    const { values, positionals, cwd, env, clock, log, out, json, signal } = context;
    const kind = oneOf("kind", values.kind ?? "curves", KINDS);
    const theme = oneOf("theme", values.theme ?? "light", THEMES);
    const file = resolve(cwd, values.out ?? "plot.png");
    if (existsSync(file) && values.force !== true) {
      throw new RefusedError(`Cannot write "${file}": it is there already`, {
        hint: "--force overwrites it, --out names another",
      });
    }
    await (await openWorkspace(context, positionals[1] ?? ".")).fetch();
    const { plotSweep } = await import("../lib/daemon/plot-sweep.ts");
    const { parseIndexSpec } = await import("../lib/sweep/index-spec.ts");
    const drawn = await plotSweep({
      workspace: workspacePath(cwd, positionals[1] ?? "."),
      env,
      clock,
      log,
      signal,
      self: ownCommandLine(),
    }, {
      kind,
      theme,
      metric: positionals[0]!,
      smooth: values.smooth ?? 0,
      ...(values.trials === undefined ? {} : { trials: parseIndexSpec(values.trials) }),
      ...(values.parameter === undefined ? {} : { parameter: values.parameter }),
    });
    if ("cannot" in drawn) throw new NothingError(drawn.cannot);
    writeFileSync(file, drawn.png);
    if (json) out.json({ file, bytes: drawn.png.length, caption: drawn.caption });
    else out.print(`${drawn.caption}\n${file}`);
    return EXIT.done;
  },
});

function oneOf<T extends string>(name: string, given: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === given);
  if (found !== undefined) return found;
  throw new UserError(`Option "--${name}" has value "${given}"`, {
    hint: `Allowed are ${allowed.join(", ")}`,
  });
}
