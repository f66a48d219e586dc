import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Notice } from "../../lib/actions/desk.ts";
import type { Parts } from "../../lib/actions/parts.ts";
import { createPerform } from "../../lib/actions/perform.ts";
import type { Action, Perform } from "../../lib/actions/perform.ts";
import { resourcesOf } from "../../lib/actions/plan-jobs.ts";
import type { Agent, ThinkRequest, Thought } from "../../lib/agent/agent.ts";
import { budgetLeft } from "../../lib/agent/budget.ts";
import { modelUse } from "../../lib/agent/cost.ts";
import { createModelHealth } from "../../lib/agent/health.ts";
import { readInterviewReply } from "../../lib/agent/interview-reply.ts";
import { messagesThatFit, renderSituation } from "../../lib/agent/situation.ts";
import { UserError } from "../../lib/base/errors.ts";
import { createDeskActing } from "../../lib/daemon/desk-acting.ts";
import type { Outside } from "../../lib/daemon/outside.ts";
import type { Ground } from "../../lib/monitor/ground.ts";
import { MONITOR } from "../../lib/monitor/guard.ts";
import { inForce } from "../../lib/monitor/in-force.ts";
import { createSweepMonitor } from "../../lib/monitor/loop.ts";
import type { MonitorOptions, SweepMonitor } from "../../lib/monitor/loop.ts";
import { emptyPlan, readPlan, renderPlan } from "../../lib/monitor/monitor-plan.ts";
import type { MonitorPlan } from "../../lib/monitor/monitor-plan.ts";
import type { Event, Happening } from "../../lib/sweep/event.ts";
import { expand } from "../../lib/sweep/expand.ts";
import type { MonitorHappening, Said, Tokens } from "../../lib/sweep/monitor-event.ts";
import { readConfig } from "../../lib/sweep/read-config.ts";
import { apply, emptyState } from "../../lib/sweep/state.ts";
import { statusOf } from "../../lib/sweep/status.ts";
import type { Status } from "../../lib/sweep/status.ts";
import { createFatedCluster } from "./fated-cluster.ts";
import type { Fate, FatedCluster } from "./fated-cluster.ts";
import { createHeldTime } from "./held-time.ts";
import { removeTree } from "./remove-tree.ts";

/** 2026-11-21, midnight. */
export const DAWN = Date.UTC(2026, 10, 21);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export interface SceneOptions {
  trials?: number;
  /** Instead of the YAML made of `trials` and `more`. */
  yaml?: string;
  /** Lines added to the YAML. */
  more?: string;
  fate?: (trial: number, attempt: number) => Fate;
  /** A person can be asked. Absent: nobody. */
  canAsk?: boolean;
  think?: (request: ThinkRequest, call: number) => Promise<Thought> | Thought;
  prompt?: string;
  /** MONITOR_PLAN.md, so that there is no interview. */
  plan?: string;
  /** Where the process dies: at `parts.fault`, and after an event. */
  dies?: (at: { point: string } | { event: Happening }) => boolean;
}

/** One sweep under a held clock: its cluster, its journal, its people, and its monitor. */
export interface Scene extends Disposable {
  ground: Ground;
  cluster: FatedCluster;
  events: Event[];
  notices: Notice[];
  /** What the agent was asked. */
  asked: ThinkRequest[];
  logged: { level: string; message: string; facts: unknown }[];
  now(): number;
  /** Runs a new monitor until it ends, or is told to stop after so long. Answers why it ended. */
  run(options?: MonitorOptions & { forMs?: number }): Promise<string>;
  /** So long from now. */
  after(ms: number, act: () => void): void;
  /** A person says something. */
  say(text: string, id?: string): Promise<void>;
  posts(): (Said & { at: number })[];
  /** Texts of posts that hold this. */
  texts(part?: string | RegExp): string[];
  statuses(): Status[];
  yaml(): string;
  edit(change: (text: string) => string): void;
  setFull(full: boolean): void;
  plan(): string | undefined;
  of<T extends Happening["type"]>(type: T): (Extract<Happening, { type: T }> & { at: number })[];
}

export function sweepYaml(trials: number, more = ""): string {
  const values = Array.from({ length: trials }, (_, i) => i).join(", ");
  return `name: lr
grid: all
launcher: launch.sh
slurm: {partition: short, time: "01:00:00", mem: 4G}
parameters:
  lr: {type: discrete, values: [${values}]}
${more}
`;
}

export function createScene(options: SceneOptions = {}): Scene {
  const root = mkdtempSync(join(tmpdir(), "herd-ground-"));
  writeFileSync(join(root, "launch.sh"), "#!/bin/bash\ntrue\n", { mode: 0o755 });
  const time = createHeldTime(DAWN);
  const { clock } = time;
  const state = emptyState();
  const events: Event[] = [];
  const notices: Notice[] = [];
  const asked: ThinkRequest[] = [];
  const logged: Scene["logged"] = [];
  let yaml = options.yaml ?? sweepYaml(options.trials ?? 4, options.more);
  let edits = 0;
  let read: { edits: number; sweep: ReturnType<typeof parse> } | undefined;
  let plan = options.plan;
  let full = false;
  let dead = false;
  let died = () => {};
  let woken = false;
  let ring = () => {};
  let nonce = 0;
  let random = 1;
  let monitor: SweepMonitor | undefined;
  let busy: Promise<unknown> = Promise.resolve();

  const fate = options.fate ?? (() => ({}));
  const cluster = createFatedCluster(time, fate, wake);

  function wake(): void {
    woken = true;
    ring();
  }

  function parse(text: string) {
    const { config } = readConfig(text, { file: "hyperherd.yaml", columns: [] });
    return { config, expansion: expand(config, undefined), rows: undefined, notices: [] };
  }

  function sweep() {
    if (read?.edits !== edits) read = { edits, sweep: parse(yaml) };
    return read.sweep;
  }

  function mayDie(at: { point: string } | { event: Happening }): void {
    if (dead || options.dies?.(at) !== true) return;
    dead = true;
    died();
  }

  function alive(): void {
    if (dead) throw new Error("The process is gone");
  }

  function append(whats: readonly Happening[], by: string): void {
    alive();
    if (full && whats.length > 0) {
      throw new UserError("Cannot write the journal: no space is left on the disk", {
        hint: "Free some space, then run it again",
      });
    }
    for (const what of whats) {
      const event: Event = { v: 1, seq: state.seq + 1, at: clock.now(), by, what };
      apply(state, event);
      events.push(event);
    }
    if (by !== MONITOR && by !== "agent") wake();
    for (const what of whats) mayDie({ event: what });
    alive();
  }

  const parts: Omit<Parts, "append"> = {
    state: () => state,
    assertWhole: () => {},
    scheduler: () => cluster.scheduler,
    clock,
    files: {
      root,
      scriptPath: (submission) => join(root, submission),
      readChangeable: () => "",
      replaceChangeable: () => {},
      keepBackup: () => "",
      writeSubmission: () => {},
      home: () => undefined,
      voidSubmission: () => {},
      unvoidSubmission: () => {},
      writeSignal: (trial) => cluster.signal(trial),
      clearSignals: () => {},
      readMetric: (trial, metric) => cluster.streams.get(trial)?.get(metric) ?? [],
      readRecords: cluster.records,
      readConfigText: () => yaml,
      replaceConfigText(text) {
        yaml = text;
        edits++;
      },
    },
    compose(job) {
      cluster.composed(job);
      const { submission, jobName, batch } = job;
      const request = {
        submission,
        jobName,
        tasks: batch.indices,
        resources: batch.resources,
        maxConcurrent: undefined,
        cwd: root,
        environment: {},
        output: "",
        error: "",
        signal: undefined,
      };
      return { script: "", table: "", request };
    },
    newNonce: () => `n${++nonce}`,
    fault(point) {
      mayDie({ point });
      alive();
    },
    signal: new AbortController().signal,
  };

  /** Under the lease, one at a time. The programs of SLURM need not be on this machine. */
  function change<T>(by: string, act: (perform: Perform) => Promise<T>): Promise<T> {
    const perform = createPerform({ ...parts, append: (whats, who) => append(whats, who ?? by) });
    const onSlurm =
      ((action: Action) =>
        perform("scheduler" in action ? { ...action, scheduler: "slurm" } : action)) as Perform;
    const next = busy.then(() => {
      alive();
      return act(onSlurm);
    });
    busy = next.catch(() => {});
    return next;
  }

  const performAs = (by: string) =>
    ((action: Action) => change(by, (perform) => perform(action))) as Perform;

  async function record(whats: readonly MonitorHappening[], by = MONITOR): Promise<void> {
    if (whats.length > 0) await performAs(by)({ verb: "record", whats });
  }

  function rules() {
    return inForce({
      config: sweep().config,
      prompt: options.prompt,
      answers: state.monitor.answers,
      plan: plan === undefined ? undefined : readPlan(plan).plan,
    });
  }

  const outside: Partial<Outside> = {
    paths: { root } as Outside["paths"],
    environment: {},
    state: () => state,
    sweep,
    change: (_purpose, act, { by = "cli:test" } = {}) =>
      change(by, (perform) => act(perform, parts as Parts)),
    graceSeconds: () => sweep().config.pruneGraceSeconds,
    scheduler: () => cluster.scheduler,
    reread: () => {},
    dotenv: () => ({ values: {}, notices: [] }),
  };

  const act = createDeskActing({
    outside: outside as Outside,
    clock,
    scheduler: "local",
    guard() {
      const { config } = sweep();
      const { grants, mode } = rules();
      const { bumpPercent } = config.remediation;
      return { grants, mode, bumpPercent, pruneShare: config.monitor.pruneShare };
    },
    monitor: {
      end: (why) => (monitor?.end(why), wake()),
      tick: () => (monitor?.tick(), wake()),
      wish: (at) => (monitor?.wish(at), wake()),
      goOn: () => monitor?.goOn(),
    },
  });

  const { think } = options;
  const agent: Agent | { none: string } = think === undefined
    ? { none: "No agent: neither ANTHROPIC_API_KEY nor a token is set" }
    : {
      description: "claude-sonnet-5, scripted",
      model: "claude-sonnet-5",
      async think(request) {
        asked.push(request);
        return await think(request, asked.length);
      },
    };

  const ground: Ground = {
    clock,
    // Never the same twice, and the same at every run of a test.
    random() {
      random = (random * 48_271) % 2_147_483_647;
      return random / 2_147_483_647;
    },
    version: "0.0.0",
    host: "login1",
    pid: 1,
    state: () => state,
    sweep() {
      const { config, expansion } = sweep();
      return { config, trials: expansion.trials.length, text: `${edits}` };
    },
    perform: performAs(MONITOR),
    record,
    act,
    async define() {
      const { notices: _, ...made } = sweep();
      const outcome = await performAs(MONITOR)({
        verb: "run",
        request: { indices: [], pins: [], force: false, skip: true, changed: undefined },
        ...made,
        scheduler: "slurm",
        maxConcurrent: undefined,
      });
      if (!outcome.done) {
        return {
          text: `${outcome.reason}${outcome.hint === undefined ? "" : `. ${outcome.hint}`}`,
        };
      }
      const { changes } = outcome.plan;
      return {
        text: changes.length === 0 ? undefined : `the YAML was edited: ${changes.join("; ")}`,
      };
    },
    logTail: (trial, stream) => cluster.logs.get(`${trial}/${stream}`) ?? "",
    streams: (trial) => cluster.streams.get(trial) ?? new Map(),
    valueOf: (trial, { metric }) => cluster.streams.get(trial)?.get(metric)?.at(-1)?.value,
    prompt: () =>
      options.prompt === undefined ? undefined : { text: options.prompt, sha256: "0".repeat(64) },
    readPlan: () => plan,
    writePlan: (text) => void (plan = text),
    limits: () => Promise.resolve(cluster.limits),
    askedFor(index) {
      const trial = state.trials.get(index)!;
      const { memoryMiB, timeSeconds } = resourcesOf(sweep().config, trial, state.monitor.bumps);
      return { memoryMiB, timeSeconds, byCondition: { memory: false, time: false } };
    },
    halvingDue: () => false,
    slash: (text) => Promise.resolve({ text: `answer to ${text}`, code: false }),
    notice: (notice) => void notices.push(notice),
    get canAsk() {
      return options.canAsk === true;
    },
    async news(ms, signal) {
      if (!woken && !signal.aborted) {
        const early = new AbortController();
        ring = () => early.abort();
        await clock.sleep(ms, AbortSignal.any([signal, early.signal])).catch(() => {});
        ring = () => {};
      }
      woken = false;
    },
    actionsBy: (actor, since) =>
      events.filter(({ at, by, what }) => by === actor && at > since && what.type !== "model-used")
        .map(({ what }) => JSON.stringify(what)),
    audit: () => {},
    log: (level, message, facts) => void logged.push({ level, message, facts }),
    thinking: {
      agent,
      credentials: "claude-sonnet-5, scripted",
      health: createModelHealth({ clock, random: () => 0.5 }),
      tools: () => Promise.resolve([]),
      system: () => "You watch over a sweep.",
      newMark: () => "mark",
      situation: renderSituation,
      messagesThatFit,
      readReply: readInterviewReply,
      budget: (usedThisTick) => {
        const { budget, prices } = sweep().config.agent;
        const model = { name: "claude-sonnet-5", prices };
        return budgetLeft({
          budget,
          monitor: state.monitor,
          now: clock.now(),
          usedThisTick,
          model,
        });
      },
    },
  };

  return {
    ground,
    cluster,
    events,
    notices,
    asked,
    logged,
    now: clock.now,
    async run({ forMs = 24 * HOUR, ...more } = {}) {
      dead = false;
      const controller = new AbortController();
      died = () => controller.abort();
      const takeBack = time.at(clock.now() + forMs, () => controller.abort());
      monitor = createSweepMonitor(ground, more);
      try {
        return await monitor.run(controller.signal);
      } finally {
        takeBack();
      }
    },
    after: (ms, happens) => void time.at(clock.now() + ms, happens),
    async say(text, id = `m${events.length}`) {
      const message = { id, from: "cli:alice", name: "alice", text };
      if (state.monitor.heard.includes(id)) return;
      await record([{ type: "message-received", message }], message.from);
    },
    posts: () =>
      events.flatMap(({ at, what }) => what.type === "said" ? [{ ...what.said, at }] : []),
    texts(part = "") {
      return this.posts().map(({ text }) => text).filter((text) =>
        typeof part === "string" ? text.includes(part) : part.test(text)
      );
    },
    statuses: () => [...state.trials.keys()].map((index) => statusOf(state, index)),
    yaml: () => yaml,
    edit(edited) {
      yaml = edited(yaml);
      edits++;
    },
    setFull: (is) => void (full = is),
    plan: () => plan,
    of: (type) =>
      events.flatMap(({ at, what }) => what.type === type ? [{ ...what, at } as never] : []),
    [Symbol.dispose]: () => removeTree(root),
  };
}

/** A turn that says something, after so long, for so many tokens. */
export async function says(
  request: ThinkRequest,
  text: string,
  tokens: Partial<Tokens> = {},
): Promise<Thought> {
  const counted = { input: 1_000, output: 100, cacheRead: 0, cacheWrite: 0, ...tokens };
  const { purpose } = request;
  const used = { model: "claude-sonnet-5", tokens: counted, estimated: false, purpose };
  await request.onUse(modelUse(used, {}));
  return { kind: "answered", text };
}

/** A plan, so that there is no interview. */
export function planText(change: Partial<MonitorPlan> = {}): string {
  const settled = { metric: "none", source: "results-json", remediation: "remediate" } as const;
  return renderPlan({ ...emptyPlan(), ...settled, ...change });
}

/** What a Python program that raised leaves. */
export function traceback(error: string, line = 3): string {
  return `Traceback (most recent call last):
  File "/home/alice/train.py", line ${line}, in <module>
    main()
${error}
`;
}
