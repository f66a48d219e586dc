/** A picture as data: what is drawn, not how. Values are null where there was no number. */
export type Chart = CurvesChart | ScatterChart | ParallelChart;

export interface Look {
  title: string;
  /** One line below the title. */
  subtitle: string;
  theme: "light" | "dark";
}

/** Lines over steps or time: one per trial, or the best so far. */
export interface CurvesChart extends Look {
  kind: "curves";
  xTitle: string;
  yTitle: string;
  /** Best first: the first ones have colours and a place in the legend, the others are grey. */
  series: readonly { label: string; points: readonly { x: number; y: number | null }[] }[];
  /** A step stays until the next one, as a best so far does. */
  stepped: boolean;
}

/** One point per trial. */
export interface ScatterChart extends Look {
  kind: "scatter";
  xTitle: string;
  yTitle: string;
  points: readonly { x: number | string; y: number; label: string; best: boolean }[];
}

/** A line per trial through its parameters and its result. */
export interface ParallelChart extends Look {
  kind: "parallel";
  /** From left to right; the last one is the result, by which lines are coloured. */
  axes: readonly string[];
  rows: readonly (readonly (number | string | null)[])[];
  /** Which end of the result is good. */
  direction: "min" | "max";
}

/** So many lines have colours of their own: more nobody tells apart. */
export const COLOURED = 8;
/** So many more are drawn in grey; of thousands nobody sees one. */
export const GREY = 200;
/** Points of a line that a picture of this width can show. */
export const POINTS = 400;
