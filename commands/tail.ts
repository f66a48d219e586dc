import { NothingError, UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { compactRanges } from "../lib/base/text.ts";
import type { Outside } from "../lib/daemon/outside.ts";
import { viewOf } from "../lib/sweep/view.ts";
import type { TrialView } from "../lib/sweep/view.ts";
import { defineCommand } from "./command.ts";
import { openWorkspace } from "./open.ts";
import { smartWorkspace } from "./smart-workspace.ts";
import { followLogs } from "./tail-follow.ts";
import { header, safely, TAIL_OPTIONS } from "./tail-show.ts";
import type { Stream, TailContext } from "./tail-show.ts";

const DEFAULT_LINES = 20;

export const command = defineCommand({
  name: "tail",
  summary: "Show the end of a trial's logs, and follow them",
  details: "Runs of one trial are appended to the same log; a line of ===== begins each.",
  arguments: [
    { name: "WORKSPACE", optional: true, description: "Folder or YAML file; default ." },
    { name: "INDEX", description: "The trial's index" },
  ],
  options: TAIL_OPTIONS,
  examples: [
    { line: "herd tail 3", meaning: "the last 20 lines of both streams of trial 3" },
    { line: "herd tail 3 -f --stdout", meaning: "follow one stream until the trial ends" },
    { line: "herd tail sweep 3 -n 100 --stderr", meaning: "more of standard error" },
  ],
  async run(context) {
    const { positionals, cwd, values, json } = context;
    const { workspace, index } = smartWorkspace(positionals, cwd);
    if (index === undefined) {
      throw new UserError("Cannot show a log: no trial index was given", {
        hint: `Write it behind the workspace: herd tail ${workspace} 0`,
      });
    }
    if (values.follow && json) {
      throw new UserError("Cannot follow a log as one JSON document", {
        hint: "Leave out --json or --follow",
      });
    }
    const outside = await openWorkspace(context, workspace);
    await outside.fetch();
    if (json) return await showJson(context, outside, index);
    return await show(context, outside, index);
  },
});

async function showJson(context: TailContext, outside: Outside, index: number): Promise<number> {
  const { tailLines } = await import("../lib/daemon/logs.ts");
  const view = viewIfKnown(outside, index);
  const requested = linesOf(context);
  let isThere = false;
  const streams = streamsOf(context, outside, index).map(({ name, path }) => {
    try {
      const tail = tailLines(path, requested);
      isThere ||= tail !== undefined;
      return [name, { path, lines: tail?.lines ?? null, requested }] as const;
    } catch (error) {
      isThere = true;
      return [name, { path, lines: null, requested, error: (error as Error).message }] as const;
    }
  });
  if (view === undefined && !isThere) throw unknownTrial(outside, index);
  context.out.json({
    index,
    status: view?.status ?? "unknown",
    experiment_name: view?.trial.name ?? null,
    streams: Object.fromEntries(streams),
  });
  return EXIT.done;
}

async function show(context: TailContext, outside: Outside, index: number): Promise<number> {
  const { values, out } = context;
  const { tailLines, endsLine } = await import("../lib/daemon/logs.ts");
  const streams = streamsOf(context, outside, index);
  const tails = streams.map((stream) => ({
    stream,
    tail: tailLines(stream.path, linesOf(context)),
  }));
  const view = viewIfKnown(outside, index);
  if (tails.every(({ tail }) => tail === undefined)) refuseNothing(context, outside, index, view);
  let ends = true;
  let shown: Stream | undefined;
  for (const { stream, tail } of tails) {
    if (tail === undefined) continue;
    if (!ends) out.write("\n");
    if (streams.length > 1) out.write(header(context, stream, shown === undefined));
    shown = stream;
    const text = tail.lines.join("\n");
    ends = !values.follow || text === "" || endsLine(stream.path, tail.size);
    out.write(safely(context, text) + (text === "" || !ends ? "" : "\n"));
  }
  if (!values.follow) return EXIT.done;
  const from = tails.map(({ stream, tail }) => ({ ...stream, fromByte: tail?.size ?? 0 }));
  return await followLogs(context, outside, { index, from, shown, ends });
}

/** No log at all: worth waiting for only when a job may still write one. */
function refuseNothing(
  { values }: TailContext,
  outside: Outside,
  index: number,
  view: TrialView | undefined,
): void {
  if (view === undefined) throw unknownTrial(outside, index);
  const live = view.attempt !== undefined && view.attempt.phase !== "ended";
  if (values.follow && live) return;
  throw new NothingError(`Trial ${index} has no log: it is ${view.status}`);
}

function unknownTrial(outside: Outside, index: number): Error {
  const known = compactRanges(outside.state().trials.keys());
  return known === ""
    ? new NothingError(`Trial ${index} has no log: nothing was submitted yet`, {
      hint: "`herd run` submits the sweep",
    })
    : new UserError(`Cannot show the log of trial ${index}: the sweep has no such trial`, {
      hint: `Its trials are ${known}`,
    });
}

function viewIfKnown(outside: Outside, index: number): TrialView | undefined {
  const state = outside.state();
  const trial = state.trials.get(index);
  return trial === undefined ? undefined : viewOf(state, trial);
}

function linesOf({ values }: TailContext): number {
  return values.lines ?? DEFAULT_LINES;
}

function streamsOf({ values }: TailContext, { paths }: Outside, index: number): Stream[] {
  const both = values.stdout === values.stderr;
  const streams: Stream[] = [];
  if (both || values.stdout) streams.push({ name: "stdout", path: paths.stdout(index) });
  if (both || values.stderr) streams.push({ name: "stderr", path: paths.stderr(index) });
  return streams;
}
