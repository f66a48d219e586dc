/** A picture of a sweep's metrics; `cannot` is a sentence for people. */
export type DrawPlot = (
  request: PlotRequest,
  signal?: AbortSignal,
) => Promise<{ png: Uint8Array; caption: string } | { cannot: string }>;

export interface PlotRequest {
  kind: "curves" | "best" | "parameter" | "parallel";
  metric: string;
  /** Only these; absent: all. */
  trials?: readonly number[];
  parameter?: string;
  /** Points before each that its mean is taken of; 0: none. */
  smooth: number;
  theme: "light" | "dark";
}
