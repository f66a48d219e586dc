import { hostname } from "node:os";
import { dirname, resolve } from "node:path";
import { planPass } from "../actions/halve.ts";
import type { Desk, Notice } from "../actions/desk.ts";
import { resourcesOf } from "../actions/plan-jobs.ts";
import type { Action, Perform } from "../actions/perform.ts";
import { budgetLeft } from "../agent/budget.ts";
import { chooseAgent } from "../agent/choose-agent.ts";
import { describeCredentials } from "../agent/credentials.ts";
import { createModelHealth } from "../agent/health.ts";
import { readInterviewReply } from "../agent/interview-reply.ts";
import { connectMcpServers } from "../agent/mcp-client.ts";
import type { McpServers } from "../agent/mcp-client.ts";
import { newMark } from "../agent/quote-data.ts";
import { messagesThatFit, renderSituation } from "../agent/situation.ts";
import { createTools } from "../agent/tools.ts";
import { currentBuild } from "../base/build.ts";
import type { Clock } from "../base/clock.ts";
import { SchedulerError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Ground } from "../monitor/ground.ts";
import { isModel, MONITOR } from "../monitor/guard.ts";
import { oncePer } from "../monitor/hearing.ts";
import { inForce } from "../monitor/in-force.ts";
import type { InForce } from "../monitor/in-force.ts";
import { createSweepMonitor } from "../monitor/loop.ts";
import type { MonitorOptions, SweepMonitor } from "../monitor/loop.ts";
import { readPlan } from "../monitor/monitor-plan.ts";
import { chooseScheduler } from "../schedulers/choose.ts";
import { answerSlash } from "../slash/run.ts";
import { createAudit } from "../store/audit.ts";
import { isDivider, tailLines } from "../store/log-tail.ts";
import { createMonitorFiles } from "../store/monitor-files.ts";
import type { MonitorHappening } from "../sweep/monitor-event.ts";
import type { Config } from "../sweep/config.ts";
import type { SweepState } from "../sweep/state.ts";
import { sweepNow } from "../sweep/sweep-now.ts";
import { isOpen } from "../sweep/transition.ts";
import { createDeskActing } from "./desk-acting.ts";
import { createDeskReading } from "./desk-reading.ts";
import { previewMonitor } from "./monitor-preview.ts";
import type { MonitorPreview } from "./monitor-preview.ts";
import { startPulse } from "./pulse.ts";
import { keepMirrored } from "./keep-mirrored.ts";
import { createMetricSource } from "./metric-source.ts";
import { fileStamp } from "./desk-stamp.ts";
import { createNews } from "./news.ts";
import { openOutside } from "./open-outside.ts";
import type { Outside, OutsideRequest } from "./outside.ts";
import { readPlaybook } from "./playbook-in-force.ts";

export interface HeldSweepParts {
  /** The workspace's folder or YAML. */
  path: string;
  /** Of whoever handed the sweep over; `.env` of the workspace adds what it does not set. */
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  /** Command line of this program. */
  self: readonly string[];
  /** Its name among the daemon's sweeps. */
  nameOf(sweep: string): string;
  noAgent: boolean;
  scheduler: "slurm" | "local" | undefined;
  /** Whether somebody may answer questions now. */
  canAsk(): boolean;
  /** See `Ground.lingerMs`. */
  lingerMs?(): number;
  /** Told of each call to a scheduler's program. */
  onAsk(): void;
  options: MonitorOptions;
  onWarning(message: string): void;
  /** How other computers are reached. */
  reach?: OutsideRequest["reach"];
  /** For a process that is no daemon: who writes where one holds the sweep. */
  findRemote?: OutsideRequest["findRemote"];
  /** False: the monitor is never run here. */
  runs?: boolean;
}

/** A sweep as the daemon holds it: its desk for everybody, its monitor at work. */
export interface HeldSweep extends AsyncDisposable {
  desk: Desk;
  outside: Outside;
  monitor: SweepMonitor;
  /** What the rules and the model would go by and do now, without doing it. */
  preview(): MonitorPreview;
  /** Performs an action for our own command line. */
  perform(action: Action, by: string): Promise<unknown>;
  credentials: string;
  /** The owner's environment over the workspace's `.env`. Holds secrets: never logged, never handed to a job. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes down what happened; `by` defaults to the monitor. */
  record(whats: readonly MonitorHappening[], by?: string): Promise<void>;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
}

const LOG_LINES = 400;
const LOG_BYTES = 128 * 1024;

export function holdSweep(parts: HeldSweepParts): HeldSweep {
  const { clock, log } = parts;
  const controller = new AbortController();
  const request: OutsideRequest = {
    workspace: parts.path,
    env: parts.env,
    clock,
    signal: controller.signal,
    self: parts.self,
    by: MONITOR,
    findRemote: parts.findRemote,
    reach: parts.reach,
    onWarning: parts.onWarning,
    onAsk: () => {
      parts.onAsk();
      return () => {};
    },
  };
  const outside = renewing(openOutside(request));
  const { paths } = outside;
  const secrets = outside.dotenv();
  for (const { message } of [...outside.notices(), ...secrets.notices]) parts.onWarning(message);
  const env = { ...secrets.values, ...withoutUndefined(parts.env) };
  const files = createMonitorFiles({ paths });
  const audit = createAudit({ path: paths.agentLog });
  const news = createNews({ outside, clock });
  const notices = new Set<(notice: Notice) => void>();
  const settings = agentSettings();
  const mcpCommand = [...parts.self, "mcp", paths.config];
  const agent = chooseAgent({ settings, env, clock, mcpCommand });
  const credentials = describeCredentials(env, settings).text;
  const health = createModelHealth({ clock, random: Math.random, down: downSince() });
  let mcp: Promise<McpServers> | undefined;

  function agentSettings(): Config["agent"] {
    const { agent } = outside.sweep().config;
    return parts.noAgent ? { ...agent, backend: "none" } : agent;
  }

  /** Who is told to raise it need not start anew. */
  function budget(): Config["agent"]["budget"] {
    try {
      return outside.sweep().config.agent.budget;
    } catch {
      // What is wrong with the YAML the monitor says.
      return settings.budget;
    }
  }

  function downSince(): { since: number } | undefined {
    const { model } = outside.state().monitor;
    return model === undefined || model.ok ? undefined : { since: model.since };
  }

  function rules(): InForce {
    const plan = files.readPlan();
    return inForce({
      config: outside.sweep().config,
      prompt: files.readPrompt()?.text,
      answers: outside.state().monitor.answers,
      plan: plan === undefined ? undefined : readPlan(plan).plan,
    });
  }

  const metrics = createMetricSource({
    outside,
    clock,
    source: () => rules().source,
    objective: () => rules().objective,
  });

  const performAs = (by: string): Perform =>
    ((action: Action) =>
      outside.change(action.verb, (perform) => perform(action), { by })) as Perform;

  async function record(whats: readonly MonitorHappening[], by = MONITOR): Promise<void> {
    if (whats.length === 0) return;
    await outside.change("record", (perform) => perform({ verb: "record", whats }), { by });
  }

  const reading = createDeskReading({
    outside,
    id: parts.nameOf(outside.sweep().config.name),
    clock,
    monitorFacts: () => ({
      model: {
        name: "none" in agent ? null : agent.model,
        ok: outside.state().monitor.model?.ok ?? true,
        detail: "none" in agent ? agent.none : credentials,
      },
      budget: {
        tick: budget().tick ?? null,
        day: budget().day ?? null,
        sweep: budget().sweep ?? null,
      },
    }),
  });

  const act = createDeskActing({
    outside,
    clock,
    scheduler: parts.scheduler,
    guard() {
      const { grants, mode } = rules();
      const { config } = outside.sweep();
      const { bumpPercent } = config.remediation;
      return { grants, mode, bumpPercent, pruneShare: config.monitor.pruneShare };
    },
    get monitor() {
      if (parts.runs === false) return undefined;
      return {
        end(why: string) {
          monitor.end(why);
          news.wake();
        },
        tick() {
          monitor.tick();
          news.wake();
        },
        goOn() {
          monitor.goOn();
        },
        wish(at: number) {
          monitor.wish(at);
          news.wake();
        },
      };
    },
  });

  /** What a model may not change: it would give itself what only people give. */
  function widenedBy(text: string): string | undefined {
    const [before, after] = [readPlan(files.readPlan() ?? "").plan, readPlan(text).plan];
    const changed = (["grants", "remediation", "scope"] as const).filter((name) =>
      JSON.stringify(before[name]) !== JSON.stringify(after[name])
    );
    if (changed.length === 0) return undefined;
    return `Only a person may change ${changed.join(" and ")} in the plan`;
  }

  const desk: Desk = {
    ...reading,
    writePlan(text, by) {
      const { notices } = readPlan(text);
      if (notices.length > 0) {
        return notices.map(({ message, line }) =>
          line === undefined ? message : `Line ${line}: ${message}`
        )
          .join("; ");
      }
      const widened = isModel(by) ? widenedBy(text) : undefined;
      if (widened !== undefined) {
        audit.write(clock.now(), "write_plan", { by, refused: widened });
        return widened;
      }
      files.writePlan(text);
      audit.write(clock.now(), "write_plan", { by, bytes: Buffer.byteLength(text) });
      return undefined;
    },
    events: (after, limit = 10_000) => outside.events(after).slice(0, limit),
    onEvent: outside.onEvent,
    onNotice(listener) {
      notices.add(listener);
      return () => notices.delete(listener);
    },
    act,
    async receive(message) {
      if (outside.state().monitor.heard.includes(message.id)) return false;
      await record([{ type: "message-received", message }], message.from);
      return true;
    },
  };

  function logTail(trial: number, stream: "stdout" | "stderr"): string {
    const lines = tailLines(paths[stream](trial), LOG_LINES, LOG_BYTES)?.lines ?? [];
    const divider = lines.findLastIndex(isDivider);
    return lines.slice(divider + 1).join("\n");
  }

  async function tools(mark: string) {
    const { mcpServers } = outside.sweep().config;
    if (mcpServers.length > 0) {
      mcp ??= connectMcpServers({
        servers: mcpServers,
        env,
        cwd: paths.root,
        clock,
        signal: controller.signal,
        onProblem: (message) => void record([saidWarning(message, clock.now())]),
      });
    }
    const others = mcp === undefined ? [] : (await mcp).tools();
    return [...createTools({ desk, by: "agent", clock, mark }), ...others];
  }

  const name = () =>
    chooseScheduler(
      { flag: parts.scheduler, config: outside.sweep().config.scheduler },
      outside.environment,
    );

  const ground: Ground = {
    clock,
    random: Math.random,
    version: currentBuild().version,
    host: hostname(),
    pid: process.pid,
    state: outside.state,
    sweep() {
      const { config, expansion } = outside.sweep();
      return { config, trials: expansion.trials.length, text: outside.stamp() };
    },
    perform: performAs(MONITOR),
    record,
    act,
    async define() {
      const sweep = outside.sweep();
      const outcome = await performAs(MONITOR)({
        verb: "run",
        request: { indices: [], pins: [], force: false, skip: true, changed: undefined },
        ...sweep,
        scheduler: name(),
        maxConcurrent: undefined,
      });
      if (!outcome.done) {
        const hint = outcome.hint === undefined ? "" : `. ${outcome.hint}`;
        return { text: `${outcome.reason}${hint}` };
      }
      const { changes } = outcome.plan;
      return {
        text: changes.length === 0 ? undefined : `the YAML was edited: ${changes.join("; ")}`,
      };
    },
    logTail,
    streams: metrics.streams,
    valueOf: (trial, { metric }) => metrics.valueOf(trial, metric),
    prompt: () => files.readPrompt(),
    readPlan: () => files.readPlan(),
    writePlan: (text) => files.writePlan(text),
    async limits() {
      try {
        const found = await outside.scheduler(name()).limits(outside.sweep().config.slurm);
        return { maxMemoryMiB: found.maxMemoryMiB, maxTimeSeconds: found.maxTimeSeconds };
      } catch (error) {
        if (!(error instanceof SchedulerError)) throw error;
        return { maxMemoryMiB: undefined, maxTimeSeconds: undefined };
      }
    },
    askedFor(index) {
      const { config } = outside.sweep();
      const trial = outside.state().trials.get(index)!;
      const { memoryMiB, timeSeconds } = resourcesOf(config, trial, outside.state().monitor.bumps);
      const own = trial.resources;
      const byCondition = {
        memory: own.memoryMiB !== undefined,
        time: own.timeSeconds !== undefined,
      };
      return { memoryMiB, timeSeconds, byCondition };
    },
    halvingDue() {
      const { halving } = outside.sweep().config;
      if (halving === undefined) return false;
      const read = (trial: number, metric: string) => metrics.streams(trial).get(metric) ?? [];
      const plan = planPass(outside.state(), halving, read);
      return plan.decisions.length > 0 ||
        plan.actions.some(({ action }) =>
          action === "prune" || action === "pause" || action === "resume"
        );
    },
    async slash(text, by, messageId) {
      const once: Desk = {
        ...desk,
        act: (request, who) => act(oncePer(messageId, request), who, { words: true }),
      };
      const answer = await answerSlash(once, text, by, clock);
      return answer ?? { text: "That is no command; /help lists them.", code: false };
    },
    notice: (notice) => notices.forEach((tell) => tell(notice)),
    get canAsk() {
      return parts.canAsk();
    },
    stoppedSince: startPulse({ clock, signal: controller.signal }).stoppedSince,
    lingerMs: () => parts.lingerMs?.() ?? 0,
    news: news.wait,
    actionsBy(actor, since) {
      const { seq } = outside.state();
      return outside.events(Math.max(0, seq - 500))
        .filter(({ at, by, what }) => by === actor && at > since && what.type !== "model-used")
        .map(({ what }) => JSON.stringify(what).slice(0, 300));
    },
    audit: (event, fields) => audit.write(clock.now(), event, fields),
    log: (level, message, facts) => log.write(level, message, { sweep: desk.id, ...facts }),
    thinking: {
      agent,
      credentials: "none" in agent ? agent.none : `${agent.description}`,
      health,
      tools,
      system: () => readPlaybook({ root: paths.root, env }).system,
      newMark,
      situation: renderSituation,
      messagesThatFit,
      readReply: readInterviewReply,
      budget: (usedThisTick) =>
        budgetLeft({
          budget: budget(),
          monitor: outside.state().monitor,
          now: clock.now(),
          usedThisTick,
          ...(settings.backend === "claude-cli" || "none" in agent
            ? {}
            : { model: { name: agent.model, prices: settings.prices } }),
        }),
    },
  };
  const monitor = createSweepMonitor(ground, parts.options);
  const mirrored = parts.runs === false ? Promise.resolve() : keepMirrored({
    mirror: outside.mirror,
    jobs() {
      const open = [...outside.state().attempts.values()].filter(isOpen);
      if (open.length === 0) return "none";
      return open.every(({ phase }) => phase === "queued") ? "waiting" : "running";
    },
    clock,
    signal: controller.signal,
    onNews: news.wake,
  });

  /** Before the first run there are the trials that it would make. */
  function planned(): SweepState {
    const state = outside.state();
    return state.trials.size > 0 ? state : sweepNow(state, outside.sweep(), clock.now()).state;
  }

  return {
    desk,
    outside,
    monitor: {
      ...monitor,
      end(why, how) {
        monitor.end(why, how);
        news.wake();
      },
      lookNow() {
        monitor.lookNow();
        news.wake();
      },
    },
    credentials,
    env,
    record,
    audit: (event, fields) => audit.write(clock.now(), event, fields),
    perform: (action, by) => performAs(by)(action),
    preview: () => previewMonitor({ ...ground, state: planned }, rules()),
    async [Symbol.asyncDispose]() {
      controller.abort();
      await mirrored;
      if (parts.runs !== false) await outside.close({ whole: true });
      news[Symbol.dispose]();
      await (await mcp?.catch(() => undefined))?.close();
    },
  };
}

/** Reads the YAML again whenever it, or the list of trials that it names, was changed. */
function renewing(outside: Outside): Outside & { stamp(): string } {
  const { config } = outside.paths;
  let files: readonly string[] = [config];
  let seen: string | undefined;
  const stamp = () => files.map(fileStamp).join(" ");
  return {
    ...outside,
    stamp,
    sweep() {
      const now = stamp();
      if (seen !== now) outside.reread();
      const sweep = outside.sweep();
      const { trialsFile } = sweep.config;
      const before = files.length;
      files = trialsFile === undefined ? [config] : [config, resolve(dirname(config), trialsFile)];
      seen = files.length === before ? now : stamp();
      return sweep;
    },
  };
}

function withoutUndefined(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function saidWarning(message: string, at: number): MonitorHappening {
  return { type: "said", said: { key: `warning/${at}`, kind: "warning", text: message } };
}
