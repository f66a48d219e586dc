import { readFileSync } from "node:fs";
import { defineCommand } from "./command.ts";

/** Started by herd itself: a chart on standard input becomes a PNG in base64. Not listed. */
export const command = defineCommand({
  name: "draw",
  summary: "Draw a chart (herd starts this itself)",
  arguments: [],
  options: [
    {
      name: "shrink",
      value: "PIXELS",
      description: "Make a picture (base64) on standard input smaller instead, to this longer side",
    },
  ],
  async run({ out, values }) {
    const input = readFileSync(0, "utf8");
    if (values.shrink !== undefined) {
      const { shrinkPicture } = await import("../lib/daemon/shrink-picture.ts");
      out.write(await shrinkPicture(input, Number(values.shrink)));
      return 0;
    }
    const { drawChart } = await import("../lib/daemon/draw-chart.ts");
    out.write(await drawChart(input));
    return 0;
  },
});
