import type { Chart } from "./chart.ts";
import { specOf } from "./spec.ts";

export interface Materials {
  /** `index_bg.wasm` of @resvg/resvg-wasm. */
  wasm: Uint8Array;
  /** DejaVuSans.ttf: resvg knows no fonts of the machine, and without one every label is missing. */
  font: Uint8Array;
}

/** Twice as many pixels as units: sharp on a telephone. */
const SCALE = 2;

/** A PNG of the chart. Loads what draws only when it is called; takes some 100 MB while it works. */
export async function drawPng(chart: Chart, { wasm, font }: Materials): Promise<Uint8Array> {
  const [{ parse, View }, { compile }, resvg] = await Promise.all([
    import("vega"),
    import("vega-lite"),
    import("@resvg/resvg-wasm"),
  ]);
  const spec = specOf(chart) as unknown as Parameters<typeof compile>[0];
  // What it warns of, such as an empty legend, is nothing for people.
  const logger = quietLogger();
  const view = new View(parse(compile(spec, { logger }).spec), { renderer: "none", logger });
  const svg = await view.toSVG();
  view.finalize();
  await resvg.initWasm(wasm as Uint8Array<ArrayBuffer>);
  const picture = new resvg.Resvg(svg, {
    fitTo: { mode: "zoom", value: SCALE },
    font: { fontBuffers: [font], defaultFontFamily: "DejaVu Sans" },
  });
  return picture.render().asPng();
}

function quietLogger() {
  const quiet = {
    level: () => quiet,
    error: () => quiet,
    warn: () => quiet,
    info: () => quiet,
    debug: () => quiet,
  };
  return quiet as never;
}
