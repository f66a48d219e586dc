import { readFileSync } from "node:fs";
import { defineCommand } from "./command.ts";

/** Started by herd itself: a chart on standard input becomes a PNG in base64. Not listed. */
export const command = defineCommand({
  name: "draw",
  summary: "Draw a chart (herd starts this itself)",
  arguments: [],
  async run({ out }) {
    const { drawChart } = await import("../lib/daemon/draw-chart.ts");
    out.write(await drawChart(readFileSync(0, "utf8")));
    return 0;
  },
});
