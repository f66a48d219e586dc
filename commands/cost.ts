import { EXIT } from "../lib/base/exit-codes.ts";
import { renderTable } from "../lib/base/table.ts";
import { defineCommand } from "./command.ts";
import { openPoolDoor } from "./pool-door.ts";

const OPTIONS = [
  {
    name: "by",
    value: "WHAT",
    choices: ["day", "model", "worker"],
    description: "day (default), model or worker",
  },
  { name: "since", value: "DAY", description: "From this day on, such as 2026-11-21 (UTC)" },
] as const;

interface CostDocument {
  rows: readonly Row[];
  total: Row;
}

interface Row {
  name: string;
  attempts: number;
  input: number;
  output: number;
  cache_read: number;
  cache_write: number;
  usd: number | null;
  unpriced: number;
}

export const command = defineCommand({
  name: "cost",
  summary: "What the pool's agents used and what that cost, by day, model or worker",
  details:
    "Attempts whose model has no price in the configuration are counted apart: their cost\n" +
    "is not known. What sweeps spend is in `herd status`.",
  options: OPTIONS,
  examples: [
    { line: "herd cost", meaning: "by day" },
    { line: "herd cost --by model --since 2026-11-01", meaning: "this month's models" },
  ],
  async run(context) {
    const { values, out, json } = context;
    await using door = await openPoolDoor(context);
    const query = new URLSearchParams({ by: values.by ?? "day" });
    if (values.since !== undefined) query.set("since", values.since);
    const found = await door.request<CostDocument>("GET", `/v1/pool/cost?${query}`);
    if (json) {
      out.json(found);
      return EXIT.done;
    }
    if (found.rows.length === 0) {
      out.print("Nothing was spent");
      return EXIT.done;
    }
    const cells = (row: Row) => [
      row.name,
      `${row.attempts}`,
      `${row.input + row.cache_read + row.cache_write}`,
      `${row.output}`,
      row.usd === null ? "n/a" : `$${row.usd.toFixed(4)}`,
      row.unpriced === 0 ? "" : `${row.unpriced}`,
    ];
    const right = { align: "right" as const };
    renderTable(
      [
        { title: values.by ?? "day", shrinkTo: 12 },
        { title: "attempts", ...right },
        { title: "tokens in", ...right },
        { title: "out", ...right },
        { title: "cost", ...right },
        { title: "without price", ...right },
      ],
      [...found.rows, { ...found.total, name: "total" }].map(cells),
      { width: out.columns },
    ).forEach((line) => out.print(line));
    return EXIT.done;
  },
});
