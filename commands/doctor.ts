import { EXIT } from "../lib/base/exit-codes.ts";
import type { Finding } from "../lib/base/finding.ts";
import { renderTable } from "../lib/base/table.ts";
import type { Terminal } from "../lib/base/terminal.ts";
import { count } from "../lib/base/text.ts";
import type { Checkup } from "../lib/daemon/checkup.ts";
import { formatDuration } from "../lib/sweep/duration.ts";
import { formatMemory } from "../lib/sweep/memory.ts";
import { defineCommand } from "./command.ts";
import { ownCommandLine, say, workspacePath } from "./open.ts";
import { terminalAsker } from "./terminal-asker.ts";
import { versionFacts } from "./version.ts";

export const command = defineCommand({
  name: "doctor",
  summary: "Find out what works here: SLURM, limits, disk, permissions, clock",
  details:
    "Asks SLURM, on the host where the sweep's jobs run, tries out the folder, and says what to\n" +
    "mend. Nothing is submitted and nothing is left behind. Exits with 1 when something has to be\n" +
    "mended (✗).",
  arguments: [{
    name: "WORKSPACE",
    optional: true,
    description: "Folder or YAML file; default . A folder without a sweep is looked at, too",
  }],
  examples: [
    { line: "herd doctor", meaning: "before the first sweep on a new cluster" },
    { line: "herd doctor sweep --json", meaning: "for a bug report" },
  ],
  async run({ positionals, out, json, env, cwd, clock, log, signal }) {
    const { checkUp } = await import("../lib/daemon/checkup.ts");
    const { createHosts } = await import("../lib/daemon/hosts.ts");
    await using hosts = createHosts({ env, clock, log, asker: terminalAsker() });
    const checkup = await checkUp({
      workspace: workspacePath(cwd, positionals[0] ?? "."),
      env,
      clock,
      signal,
      self: ownCommandLine(),
      reach: hosts.reach,
      onWarning: (message) => say(out, message),
    });
    const bad = checkup.findings.filter(({ mark }) => mark === "bad").length;
    if (json) out.json(documentOf(checkup, bad));
    else show(out, checkup, bad);
    return bad === 0 ? EXIT.done : EXIT.negative;
  },
});

function documentOf({ findings, partitions, folder, unknowable }: Checkup, bad: number): unknown {
  return {
    ok: bad === 0,
    folder,
    herd: versionFacts(),
    checks: findings.map(({ area, mark, message, mend }) => ({
      area,
      mark,
      message,
      mend: mend ?? null,
    })),
    partitions: partitions.map((one) => ({
      name: one.name,
      default: one.isDefault,
      up: one.up,
      max_time_seconds: one.maxTimeSeconds ?? null,
      nodes: one.nodes,
      cpus_per_node: one.cpusPerNode ?? null,
      memory_mib_per_node: one.memoryMiBPerNode ?? null,
      gres: one.gres ?? null,
    })),
    not_checked: unknowable,
  };
}

function show(out: Terminal, { findings, partitions, unknowable }: Checkup, bad: number): void {
  const { bold, green, yellow, red, dim } = out.paint;
  const marks = { good: green("✓"), doubt: yellow("!"), bad: red("✗") };
  const areas = Map.groupBy(findings, ({ area }: Finding) => area);
  for (const [area, list] of areas) {
    out.print(bold(area));
    for (const { mark, message, mend } of list) {
      out.print(`  ${marks[mark]} ${message}`);
      if (mend !== undefined) out.print(`      ${dim("→")} ${mend}`);
    }
    if (area === "Partitions") {
      for (const line of partitionLines(out, partitions)) out.print(line);
    }
    out.print();
  }
  out.print(bold("Not to be found out from here"));
  for (const sentence of unknowable) out.print(`  · ${sentence}`);
  out.print();
  const doubts = findings.filter(({ mark }) => mark === "doubt").length;
  if (bad > 0) out.print(red(`${count(bad, "thing")} to mend`));
  else if (doubts > 0) out.print(`Nothing is broken; ${count(doubts, "thing")} to know about`);
  else out.print(green("All is well"));
}

function partitionLines(
  { columns, paint }: Terminal,
  partitions: Checkup["partitions"],
): string[] {
  const titles = [
    { title: "Partition" },
    { title: "State" },
    { title: "Time", align: "right" },
    { title: "Nodes", align: "right" },
    { title: "CPUs", align: "right" },
    { title: "Memory", align: "right" },
    { title: "Gres", shrinkTo: 8 },
  ] as const;
  const rows = partitions.map((one) => [
    one.name + (one.isDefault ? " (default)" : ""),
    one.up ? "up" : { text: "down", paint: paint.yellow },
    one.maxTimeSeconds === undefined
      ? "?"
      : one.maxTimeSeconds === null
      ? "unlimited"
      : formatDuration(one.maxTimeSeconds),
    `${one.nodes}`,
    `${one.cpusPerNode ?? "?"}`,
    one.memoryMiBPerNode === undefined ? "?" : formatMemory(one.memoryMiBPerNode),
    one.gres ?? "",
  ]);
  const width = columns - 4;
  return renderTable(titles, rows, { width, paintTitle: paint.dim }).map((line) => `    ${line}`);
}
