import { createHash } from "node:crypto";
import type { Desk, TrialDocument } from "../actions/desk.ts";
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import { codeOf, readIfThere } from "../base/files.ts";
import { readObjective } from "../monitor/objective-words.ts";
import { createResults } from "../store/results.ts";
import { attemptDocument } from "../sweep/attempt-document.ts";
import { adviceOf } from "../sweep/efficiency.ts";
import { efficiencyDocument } from "../sweep/efficiency-document.ts";
import { parametersDocument } from "../sweep/parameters-document.ts";
import { silences } from "../sweep/silence.ts";
import type { SweepState } from "../sweep/state.ts";
import { trialDocument } from "../sweep/status-document.ts";
import { LIVE } from "../sweep/status.ts";
import { sweepNow } from "../sweep/sweep-now.ts";
import { statsTrial, usageRow } from "../sweep/usage-document.ts";
import { totalsOf, trialViews, viewOf } from "../sweep/view.ts";
import type { TrialView } from "../sweep/view.ts";
import { infoDocument } from "./desk-info.ts";
import type { MonitorFacts } from "./desk-info.ts";
import { readLog } from "./desk-log.ts";
import { createMetricReading } from "./desk-metrics.ts";
import { pageOf } from "./desk-page.ts";
import { createProgressReading } from "./desk-progress.ts";
import { createQueueReading } from "./desk-queue.ts";
import { createResultReading } from "./desk-results.ts";
import { createTickReading } from "./desk-ticks.ts";
import type { Outside } from "./outside.ts";
import type { SweepFile } from "./sweep-file.ts";

export interface DeskReadingParts {
  outside:
    & Pick<Outside, "paths" | "state" | "sweep" | "scheduler" | "readRecords">
    & Partial<Pick<Outside, "heardAt">>;
  id: string;
  clock: Pick<Clock, "now">;
  monitorFacts(): MonitorFacts;
}

/** The part of a Desk that only looks. */
export type DeskReading = Pick<
  Desk,
  | "id"
  | "path"
  | "status"
  | "trial"
  | "attempts"
  | "log"
  | "metricNames"
  | "metric"
  | "results"
  | "stats"
  | "efficiency"
  | "parameters"
  | "queue"
  | "info"
  | "plan"
  | "userPrompt"
  | "ticks"
>;

/**
 * Reads the journal's state and the workspace's files. Only `queue` asks a
 * scheduler. A page costs what is on it: ten thousand logs are not read to show
 * a hundred, and what was not written to since is not read again.
 */
export function createDeskReading(parts: DeskReadingParts): DeskReading {
  const { outside, id, clock } = parts;
  const { paths } = outside;
  const results = createResults({ dir: paths.results });
  const progress = createProgressReading(paths, results);
  const metrics = createMetricReading(paths, results);
  const logged = createResultReading(paths, results);
  const queue = createQueueReading({ scheduler: outside.scheduler, now: clock.now });
  const ticks = createTickReading(paths.journal);
  let views: { of: SweepState; seq: number; all: TrialView[] } | undefined;

  /** Folding into views takes as long as the sweep is large: once per event, not once per question. */
  function allViews(): TrialView[] {
    const state = outside.state();
    if (views?.of !== state || views.seq !== state.seq) {
      views = { of: state, seq: state.seq, all: trialViews(planned(state)) };
    }
    return views.all;
  }

  /** Before the first run there are the trials that it would make. */
  function planned(state: SweepState): SweepState {
    const { file } = sweepFile();
    if (state.trials.size > 0 || file === undefined) return state;
    return sweepNow(state, file, clock.now()).state;
  }

  function sweepFile(): { file: SweepFile | undefined; trouble: string | undefined } {
    try {
      return { file: outside.sweep(), trouble: undefined };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { file: undefined, trouble: error.message };
    }
  }

  function viewsOf(index: number): TrialView[] {
    const found = allViews().find(({ trial }) => trial.index === index);
    if (found !== undefined) return [found];
    // No longer in the YAML: it has still run.
    const state = outside.state();
    const trial = state.trials.get(index);
    return trial === undefined ? [] : [viewOf(state, trial)];
  }

  function fetched(): { heardAt?: number } {
    const heardAt = outside.heardAt?.();
    return heardAt === undefined ? {} : { heardAt };
  }

  /** The running ones with the silence of their jobs, as a look would show it. */
  function documents(page: readonly TrialView[]): TrialDocument[] {
    const state = outside.state();
    const running = page.flatMap(({ status, attempt }) =>
      status === "running" && attempt !== undefined ? [attempt] : []
    );
    const records = running.length === 0 ? new Map() : outside.readRecords(running);
    const silent = silences(state, [{ records, look: fetched() }], clock.now());
    const heard = page.map((view) => {
      const silence = silent.get(view.trial.index);
      return silence === undefined ? view : viewOf(state, view.trial, silence);
    });
    const far = progress.read(heard);
    return heard.map((view) => trialDocument(view, far.get(view.trial.index), clock.now()));
  }

  function readText(path: string, what: string): string | undefined {
    try {
      return readIfThere(path);
    } catch (error) {
      throw new UserError(`Cannot read ${what}: "${path}" (${codeOf(error) ?? error})`);
    }
  }

  return {
    id,
    path: paths.root,
    status(query = {}) {
      const all = allViews();
      const chosen = new Set(query.indices ?? []);
      const wanted = new Set(query.statuses ?? []);
      const found = all.filter(({ trial, status }) =>
        (query.indices === undefined || chosen.has(trial.index)) &&
        (query.statuses === undefined || wanted.has(status))
      );
      const page = pageOf(found, query);
      return { ...page, items: documents(page.items), totals: totalsOf(all) };
    },
    trial: (index) => documents(viewsOf(index))[0],
    attempts(index) {
      const state = outside.state();
      return (state.attemptsOf.get(index) ?? []).flatMap((key) => {
        const attempt = state.attempts.get(key);
        return attempt === undefined ? [] : [attemptDocument(attempt, clock.now())];
      });
    },
    log(index, query) {
      const [view] = viewsOf(index);
      const over = view === undefined || !LIVE.has(view.status);
      return readLog(paths[query.stream](index), query, over);
    },
    metricNames: metrics.names,
    metric: (index, name, query = {}) => metrics.document(index, name, query, clock.now()),
    results(query = {}) {
      const config = sweepFile().file?.config;
      const words = readObjective(outside.state().monitor.answers["objective"] ?? "");
      const said = words !== undefined && "objective" in words ? words.objective : undefined;
      const objective = config?.monitor.objective ?? said;
      return logged.document({ views: allViews(), config, objective }, query);
    },
    stats(index, query = {}) {
      const state = outside.state();
      const started = (index === undefined ? allViews() : viewsOf(index))
        .filter(({ attempt }) => attempt !== undefined);
      const page = pageOf(started, query);
      return {
        trials: page.items.map((view) => statsTrial(view, state, clock.now())),
        advice: adviceOf(started.map((view) => usageRow(view, state, clock.now()))),
        warnings: [],
        total: page.total,
        offset: page.offset,
      };
    },
    efficiency() {
      const state = outside.state();
      const started = allViews().filter(({ attempt }) => attempt !== undefined);
      return efficiencyDocument(started.map((view) => usageRow(view, state, clock.now())));
    },
    parameters(query = {}) {
      const state = outside.state();
      const { file, trouble } = sweepFile();
      const fixed = state.definition?.staticOverrides ?? file?.config.staticOverrides ?? [];
      const sweep = { name: state.sweep, config: file?.config, trouble };
      return parametersDocument(sweep, pageOf(allViews(), query), fixed);
    },
    queue: () => queue.document(outside.state()),
    info: () =>
      infoDocument(outside.state(), parts.monitorFacts(), {
        id,
        path: paths.root,
        sweep: sweepFile().file?.config.name,
        now: clock.now(),
      }),
    plan: () => readText(paths.monitorPlan, "the plan"),
    userPrompt() {
      const text = readText(paths.prompt, "PROMPT.md");
      if (text === undefined) return undefined;
      const sha256 = createHash("sha256").update(text).digest("hex");
      return { text, sha256, seen: outside.state().monitor.promptSeen === sha256 };
    },
    ticks: (query = {}) => ticks(outside.state().monitor, query.limit),
  };
}
