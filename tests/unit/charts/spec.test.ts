import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "vega-lite";
import { COLOURED, GREY } from "../../../lib/charts/chart.ts";
import type { Chart, CurvesChart } from "../../../lib/charts/chart.ts";
import { drawPng } from "../../../lib/charts/draw-png.ts";
import { readChart } from "../../../lib/charts/read-chart.ts";
import { specOf } from "../../../lib/charts/spec.ts";
import type { Spec } from "../../../lib/charts/spec.ts";
import { pictureMaterials } from "../../../lib/daemon/picture-materials.ts";

const LOOK = { title: "loss", subtitle: "a sweep", theme: "dark" } as const;

function curves(series: CurvesChart["series"]): CurvesChart {
  return { kind: "curves", ...LOOK, xTitle: "step", yTitle: "loss", series, stepped: false };
}

function line(label: string, ...ys: (number | null)[]): CurvesChart["series"][number] {
  return { label, points: ys.map((y, x) => ({ x, y })) };
}

const layersOf = (spec: Spec) => spec["layer"] as { data: { values: Record<string, unknown>[] } }[];

/** Every chart that must be drawn: odd ones above all. */
const CHARTS: Record<string, Chart> = {
  "nothing at all": curves([]),
  "one point": curves([line("a", 1)]),
  "only gaps": curves([line("a", null, null)]),
  "decades": curves([line("a", 1e-6, 1, 1e6)]),
  "hostile names": curves([line('"; alert(1) <b>\n漢字 🏳️‍🌈', 1, 2), line("__proto__", 2, 1)]),
  "many": curves(Array.from({ length: 500 }, (_, i) => line(`t${i}`, i, i + 1))),
  "scatter of words": {
    kind: "scatter",
    ...LOOK,
    xTitle: "opt",
    yTitle: "acc",
    points: [{ x: "adam", y: 1, label: "#0", best: true }, {
      x: "sgd",
      y: 0,
      label: "#1",
      best: false,
    }],
  },
  "parallel": {
    kind: "parallel",
    ...LOOK,
    axes: ["lr", "opt", "acc"],
    rows: [[0.1, "adam", 0.5], [0.0001, "sgd", 0.7], [null, null, 0.1]],
    direction: "max",
  },
};

for (const [name, chart] of Object.entries(CHARTS)) {
  test(`vega-lite takes a chart of ${name}, in light and in dark`, () => {
    for (const theme of ["light", "dark"] as const) {
      const spec = specOf({ ...chart, theme });
      assert.ok(compile(spec as unknown as Parameters<typeof compile>[0]).spec);
    }
  });
}

test("the best ones have colours, the next ones are grey, and more are left out", () => {
  const [grey, coloured] = layersOf(specOf(CHARTS["many"]!));
  const lines = (layer: typeof grey) => new Set(layer!.data.values.map(({ line }) => line)).size;
  assert.equal(lines(coloured), COLOURED);
  assert.equal(lines(grey), GREY);
});

test("long curves are thinned and keep their ends", () => {
  const long = line("a", ...Array.from({ length: 10_000 }, (_, i) => i));
  const values = layersOf(specOf(curves([long])))[1]!.data.values;
  assert.ok(values.length <= 400);
  assert.deepEqual([values[0]!["x"], values.at(-1)!["x"]], [0, 9_999]);
});

test("values over more than two and a half decades get a logarithmic axis, others do not", () => {
  const scale = (...ys: number[]) => JSON.stringify(layersOf(specOf(curves([line("a", ...ys)]))));
  assert.match(scale(0.0001, 1), /"type":"log"/);
  assert.doesNotMatch(scale(0.1, 1), /"type":"log"/);
  assert.doesNotMatch(scale(-1, 1000), /"type":"log"/);
});

test("a chart goes through JSON, and what is none is refused", () => {
  for (const chart of Object.values(CHARTS)) {
    assert.deepEqual(readChart(JSON.stringify(chart)), JSON.parse(JSON.stringify(chart)));
  }
  for (const text of ["", "{}", '{"kind":"curves"}', '{"kind":"pie","title":""}']) {
    assert.throws(() => readChart(text));
  }
});

test("the picture is a PNG of twice the units, with its labels", async () => {
  const png = await drawPng(CHARTS["decades"]!, pictureMaterials());
  assert.deepEqual([...png.subarray(1, 4)], [..."PNG"].map((sign) => sign.charCodeAt(0)));
  const width = new DataView(png.buffer, png.byteOffset).getUint32(16);
  assert.ok(width >= 1_200 && width < 1_800, `${width}`);
  // Without a font every label is missing, and the picture much smaller.
  assert.ok(png.length > 15_000, `${png.length}`);
});
