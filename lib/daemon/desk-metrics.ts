import type { MetricDocument, MetricQuery, MetricSummary } from "../actions/desk.ts";
import type { WorkspacePaths } from "../store/paths.ts";
import type { Results } from "../store/results.ts";
import { metricDocument, metricSummary } from "../sweep/metric-document.ts";
import type { Point } from "../sweep/metrics.ts";
import { createMemo } from "./desk-memo.ts";
import { fileSize, fileStamp, streamPath } from "./desk-stamp.ts";

/** Points kept in memory over all streams: some 20 MB. */
const REMEMBERED_POINTS = 200_000;
const REMEMBERED_SUMMARIES = 20_000;
/** A longer stream is known by its last part only. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Reads metrics' streams; one that has not been written to since is not read again. */
export function createMetricReading(paths: WorkspacePaths, results: Results) {
  const points = createMemo<readonly Point[]>(REMEMBERED_POINTS);
  const summaries = createMemo<MetricSummary>(REMEMBERED_SUMMARIES);

  function read(trial: number, metric: string, stamp: string): readonly Point[] {
    const key = `${trial}/${metric}`;
    const known = points.get(key, stamp);
    if (known !== undefined) return known;
    const size = fileSize(streamPath(paths.results, trial, metric));
    const fromByte = Math.max(0, size - MOST_BYTES);
    const stream = results.readStream(trial, metric, { fromByte });
    points.set(key, stamp, stream.points, stream.points.length + 1);
    return stream.points;
  }

  function summary(trial: number, metric: string): MetricSummary {
    const stamp = fileStamp(streamPath(paths.results, trial, metric));
    const key = `${trial}/${metric}`;
    const known = summaries.get(key, stamp);
    if (known !== undefined) return known;
    const made = metricSummary(metric, read(trial, metric, stamp));
    summaries.set(key, stamp, made);
    return made;
  }

  return {
    names: (trial: number): readonly MetricSummary[] =>
      results.listStreams(trial).map((metric) => summary(trial, metric)),
    document(
      trial: number,
      metric: string,
      query: MetricQuery,
      now: number,
    ): MetricDocument | undefined {
      // Only what is listed: a name out of a chat is no path.
      if (!results.listStreams(trial).includes(metric)) return undefined;
      const stamp = fileStamp(streamPath(paths.results, trial, metric));
      return metricDocument(metric, read(trial, metric, stamp), query, now);
    },
  };
}
