import { COLOURED, GREY, POINTS } from "./chart.ts";
import type { Chart, CurvesChart, ParallelChart, ScatterChart } from "./chart.ts";

/** A vega-lite specification; typed by what it is for, as its own types are larger than this program. */
export type Spec = Record<string, unknown>;

const PAPER = {
  light: {
    ground: "#ffffff",
    ink: "#1f2328",
    faint: "#d0d7de",
    grey: "#afb8c1",
    good: "#0072b2",
    bad: "#d0d7de",
  },
  dark: {
    ground: "#1e1f22",
    ink: "#f2f3f5",
    faint: "#3f4147",
    grey: "#6d6f78",
    good: "#f0e442",
    bad: "#4e5058",
  },
} as const;

/** Told apart by people who see fewer colours as well (Okabe and Ito, 2008). */
const COLOURS = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#d55e00",
  "#f0e442",
  "#999999",
];

/** A picture of 720 by 460 units, with type that is read on a telephone. */
export function specOf(chart: Chart): Spec {
  const { ground, ink, faint } = PAPER[chart.theme];
  const subtitle = plain(chart.subtitle);
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: 600,
    height: 340,
    padding: 16,
    background: ground,
    title: {
      text: plain(chart.title),
      ...(subtitle === "" ? {} : { subtitle }),
      anchor: "start",
      fontSize: 20,
      subtitleFontSize: 15,
      color: ink,
      subtitleColor: ink,
      offset: 12,
    },
    config: {
      font: "DejaVu Sans",
      axis: {
        labelFontSize: 15,
        titleFontSize: 16,
        labelColor: ink,
        titleColor: ink,
        gridColor: faint,
        domainColor: faint,
        tickColor: faint,
        titleFontWeight: "normal",
        labelLimit: 140,
        tickCount: 6,
      },
      legend: {
        labelFontSize: 14,
        labelColor: ink,
        titleColor: ink,
        orient: "bottom",
        columns: 2,
        labelLimit: 280,
        symbolStrokeWidth: 3,
        title: null,
      },
      view: { stroke: null },
    },
    ...bodyOf(chart),
  };
}

function bodyOf(chart: Chart): Spec {
  switch (chart.kind) {
    case "curves":
      return curves(chart);
    case "scatter":
      return scatter(chart);
    case "parallel":
      return parallel(chart);
  }
}

function curves({ series, xTitle, yTitle, theme, stepped }: CurvesChart): Spec {
  const shown = series.slice(0, COLOURED);
  const others = series.slice(COLOURED, COLOURED + GREY);
  const rows = (list: CurvesChart["series"], from: number) =>
    list.flatMap(({ label, points }, i) =>
      thinned(points).map(({ x, y }) => ({ x, y, label: short(label), line: from + i }))
    );
  const all = [...rows(shown, 0), ...rows(others, COLOURED)];
  const line = (more: Spec): Spec => ({
    type: "line",
    interpolate: stepped ? "step-after" : "linear",
    // A lone value is no line.
    point: all.length < 60 ? { size: 40 } : false,
    invalid: "break-paths-show-path-domains",
    ...more,
  });
  const encoding = {
    x: {
      field: "x",
      type: "quantitative",
      title: plain(xTitle),
      scale: { nice: true, zero: false },
    },
    y: {
      field: "y",
      type: "quantitative",
      title: plain(yTitle),
      scale: scaleOf(all.map(({ y }) => y)),
    },
  };
  return {
    layer: [
      {
        data: { values: rows(others, COLOURED) },
        mark: line({ strokeWidth: 1.2, opacity: 0.5, color: PAPER[theme].grey, point: false }),
        encoding: { ...encoding, detail: { field: "line" } },
      },
      {
        data: { values: rows(shown, 0) },
        mark: line({ strokeWidth: 3 }),
        encoding: {
          ...encoding,
          color: {
            field: "label",
            type: "nominal",
            sort: null,
            scale: { domain: shown.map(({ label }) => short(label)), range: COLOURS },
            legend: shown.length > 1 ? { labelLimit: 300, symbolType: "stroke" } : null,
          },
        },
      },
    ],
  };
}

function scatter({ points, xTitle, yTitle, theme }: ScatterChart): Spec {
  const isNumber = points.every(({ x }) => typeof x === "number");
  const numbers = points.flatMap(({ x }) => typeof x === "number" ? [x] : []);
  const x = isNumber
    ? { type: "quantitative", scale: scaleOf(numbers) }
    : { type: "nominal", sort: null, axis: { labelAngle: -30 } };
  return {
    data: { values: points.map((one) => ({ ...one, x: isNumber ? one.x : short(`${one.x}`) })) },
    mark: { type: "point", filled: true, size: 110, opacity: 0.85 },
    encoding: {
      x: { field: "x", title: plain(xTitle), ...x },
      y: {
        field: "y",
        type: "quantitative",
        title: plain(yTitle),
        scale: scaleOf(points.map(({ y }) => y)),
      },
      color: {
        condition: { test: "datum.best", value: COLOURS[1] },
        value: theme === "dark" ? COLOURS[4] : COLOURS[0],
      },
    },
  };
}

/** Each axis runs from its least to its largest value, or through its words in order. */
function parallel({ axes, rows, direction, theme }: ParallelChart): Spec {
  const last = axes.length - 1;
  const columns = axes.map((_, i) => rows.map((row) => row[i] ?? null));
  const places = columns.map(placesOf);
  const shown = rows.slice(0, GREY);
  const values = shown.flatMap((row, line) =>
    axes.map((axis, i) => ({
      axis: short(axis),
      at: places[i]!(row[i] ?? null),
      line,
      result: Number(row[last]),
    }))
  );
  const ends = columns.flatMap((column, i) => {
    const numbers = column.filter((value) => typeof value === "number");
    if (numbers.length !== column.filter((value) => value !== null).length) {
      return [...new Set(column.filter((value) => value !== null))].slice(0, 8)
        .map((value) => ({
          axis: short(axes[i]!),
          at: places[i]!(value),
          text: short(`${value}`, 14),
        }));
    }
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    return [{ axis: short(axes[i]!), at: 0, text: number(low) }, {
      axis: short(axes[i]!),
      at: 1,
      text: number(high),
    }];
  });
  const order = axes.map((axis) => short(axis));
  const x = {
    field: "axis",
    type: "nominal",
    sort: order,
    title: null,
    axis: { labelAngle: -20, grid: true },
  };
  const y = { field: "at", type: "quantitative", axis: null, scale: { domain: [-0.05, 1.05] } };
  return {
    layer: [
      {
        data: { values },
        mark: { type: "line", strokeWidth: 2, opacity: 0.75 },
        encoding: {
          x,
          y,
          detail: { field: "line" },
          color: {
            field: "result",
            type: "quantitative",
            scale: {
              range: direction === "min"
                ? [PAPER[theme].good, PAPER[theme].bad]
                : [PAPER[theme].bad, PAPER[theme].good],
            },
            legend: { orient: "right", title: null, gradientLength: 200 },
          },
        },
      },
      {
        data: { values: ends },
        mark: { type: "text", align: "left", dx: 6, fontSize: 13, color: PAPER[theme].ink },
        encoding: { x, y, text: { field: "text" } },
      },
    ],
  };
}

function placesOf(
  column: readonly (number | string | null)[],
): (value: number | string | null) => number | null {
  const known = column.filter((value) => value !== null);
  const numbers = known.filter((value) => typeof value === "number");
  if (numbers.length === known.length && numbers.length > 0) {
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    const isLog = spansDecades(numbers);
    const at = (n: number) => isLog ? Math.log(n) : n;
    const span = at(high) - at(low);
    return (value) =>
      typeof value !== "number" ? null : span === 0 ? 0.5 : (at(value) - at(low)) / span;
  }
  const words = [...new Set(known)];
  return (value) => {
    const at = words.indexOf(value!);
    return at < 0 ? null : words.length === 1 ? 0.5 : at / (words.length - 1);
  };
}

/** Over more than two and a half decades, and nothing at or below zero. */
function spansDecades(values: readonly number[]): boolean {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low > 0 && high / low > 316;
}

function scaleOf(values: readonly (number | null)[]): Spec {
  const numbers = values.filter((value) => value !== null && Number.isFinite(value));
  return numbers.length > 0 && spansDecades(numbers as number[])
    ? { type: "log", nice: true }
    : { zero: false, nice: true };
}

/** Every so many points, the first and the last among them. */
function thinned<T>(points: readonly T[]): readonly T[] {
  if (points.length <= POINTS) return points;
  const step = (points.length - 1) / (POINTS - 1);
  return Array.from({ length: POINTS }, (_, i) => points[Math.round(i * step)]!);
}

function number(value: number): string {
  return Number(value.toPrecision(4)).toString();
}

function short(label: string, most = 34): string {
  const text = plain(label);
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** What the picture's font has signs for: Latin, Greek, Cyrillic, arrows; of others a mark stands. */
function plain(text: string): string {
  return text.replace(
    /[^\u0020-\u024f\u0370-\u052f\u2010-\u2044\u2190-\u21ff\u2200-\u22ff]/gu,
    "?",
  );
}
