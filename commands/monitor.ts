import { randomUUID } from "node:crypto";
import { RefusedError, UserError } from "../lib/base/errors.ts";
import { userName } from "../lib/base/user-name.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { count } from "../lib/base/text.ts";
import { createControlClient } from "../lib/control/client.ts";
import type { ControlClient } from "../lib/control/client.ts";
import type { Handover } from "../lib/daemon/handover.ts";
import type { runDaemon } from "../lib/daemon/run-daemon.ts";
import type { FoundDaemon } from "../lib/control/find-daemon.ts";
import { become, restart } from "./restart-daemon.ts";
import { talk } from "./attach.ts";
import { defineCommand } from "./command.ts";
import { MONITOR_OPTIONS } from "./monitor-options.ts";
import type { MonitorContext } from "./monitor-options.ts";
import { openWorkspace, ownCommandLine, say, workspacePath } from "./open.ts";
import { createTerminalChannel } from "./terminal-channel.ts";
import { terminalAsker } from "./terminal-asker.ts";
import { terminalInput } from "./terminal-input.ts";

export const command = defineCommand({
  name: "monitor",
  summary: "Run the sweep to its end: staged rollout, repairs, halving, an agent to talk to",
  details:
    "Submits a canary first, then a few trials, then the rest; repairs what SLURM can repair;\n" +
    "asks the agent where rules do not know. One daemon per user and host holds any number of\n" +
    "sweeps: with one running, the sweep is handed to it and followed. Talk to it by typing;\n" +
    "lines that begin with a slash are commands, /help lists them. Ctrl-C ends it, and the\n" +
    "trials go on; `herd monitor` takes the sweep up where it was.",
  arguments: [{
    name: "WORKSPACE",
    optional: true,
    repeatable: true,
    description: "Folders or YAML files; default .",
  }],
  options: MONITOR_OPTIONS,
  examples: [
    { line: "herd monitor sweep/", meaning: "run it, here in the foreground" },
    {
      line: "herd monitor sweep/ --detach",
      meaning: "in the background; `herd attach` follows it",
    },
    { line: "herd monitor --ensure sweep/", meaning: "for cron: start it unless it runs" },
    { line: "herd monitor sweep/ --dry-run", meaning: "what it would do and tell the agent" },
    { line: 'herd monitor sweep/ -p "why is trial 3 slow?"', meaning: "one question, one answer" },
    { line: "herd monitor --restart", meaning: "after an upgrade; nothing is lost" },
    { line: "herd monitor --stop", meaning: "end the daemon; its trials go on" },
  ],
  run: monitorCommand,
});

async function monitorCommand(context: MonitorContext): Promise<number> {
  const { values, positionals, cwd } = context;
  const { takeHandover } = await import("../lib/daemon/handover.ts");
  const handed = takeHandover(process.env);
  if (handed !== undefined) return await runHere(context, [], handed);
  refuseContradictions(context);
  const given = positionals.length === 0 ? ["."] : positionals;
  const workspaces = given.map((one) => workspacePath(cwd, one));
  if (values["dry-run"]) {
    await checkWorkspaces(workspaces);
    return await (await import("./monitor-dry-run.ts")).dryRun(context, workspaces);
  }
  const { findDaemon, placeOf } = await import("../lib/daemon/reach.ts");
  const place = placeOf(context.env);
  const daemon = await findDaemon(place, { signal: context.signal });
  if (values.stop) return await stop(context, daemon, positionals.length === 0 ? [] : workspaces);
  if (values.restart) return await restart(context, daemon);
  await checkWorkspaces(workspaces);
  if (values.host !== undefined) {
    for (const one of workspaces) {
      await openWorkspace(context, one, { host: values.host, keep: "now" });
    }
  }
  const alone = values.once || values["max-ticks"] !== undefined;
  if (daemon !== undefined && !alone && values.message !== undefined && !values.detach) {
    return await ask(context, clientOf(daemon), workspaces, values.message);
  }
  if (daemon !== undefined && !alone) {
    try {
      const renew = () => findDaemon(place, { signal: context.signal });
      return await handOver(context, clientOf(daemon, renew), workspaces);
    } catch (error) {
      if (!(error instanceof RefusedError) || error.facts["ending"] !== true) throw error;
      say(context.out, "The monitor that runs here is ending; another one follows it");
      const { readDaemonRecord } = await import("../lib/control/daemon-record.ts");
      // One that restarts is the same process.
      await goneOf(daemon, () => {
        const { startedAt } = readDaemonRecord(place) ?? daemon.record;
        return startedAt !== daemon.record.startedAt;
      });
      return await monitorCommand(context);
    }
  }
  if (values.detach || values.ensure) return await detach(context, workspaces);
  return await runHere(context, workspaces);
}

function refuseContradictions({ values }: MonitorContext): void {
  const given = (["detach", "once", "dry-run", "stop", "restart", "ensure"] as const)
    .filter((name) => values[name]);
  const both = given.filter((name) => name !== "detach" || !values.ensure);
  if (both.length > 1) {
    throw new UserError(
      `Cannot tell what is wanted: ${both.map((one) => `--${one}`).join(" and ")}`,
      {
        hint: "Give one of them",
      },
    );
  }
}

/** Their mistakes are told before anything is started or handed over. */
async function checkWorkspaces(workspaces: readonly string[]): Promise<void> {
  const { checkWorkspace } = await import("../lib/daemon/reach.ts");
  for (const workspace of workspaces) checkWorkspace(workspace);
}

/** `renew`: it is followed over its restarts. */
function clientOf(
  { address, token }: FoundDaemon,
  renew?: () => Promise<FoundDaemon | undefined>,
): ControlClient {
  return createControlClient({ address, token, renew, way: "cli" });
}

async function stop(
  { out, json }: MonitorContext,
  daemon: FoundDaemon | undefined,
  workspaces: readonly string[],
): Promise<number> {
  if (daemon === undefined) {
    if (json) out.json({ stopped: [] });
    else out.print("Nothing to stop: no monitor runs here");
    return EXIT.done;
  }
  const client = clientOf(daemon);
  const sweeps = await client.sweeps();
  const { sameWorkspace } = await import("../lib/daemon/reach.ts");
  const chosen = workspaces.length === 0
    ? sweeps
    : sweeps.filter(({ path }) => workspaces.some((one) => sameWorkspace(one, path)));
  if (workspaces.length === 0) {
    await client.shutdown("herd monitor --stop");
    await goneOf(daemon);
  } else {
    if (chosen.length === 0) {
      throw new UserError("Cannot stop: the monitor does not hold this sweep", {
        hint: `It holds ${sweeps.map(({ path }) => `"${path}"`).join(", ") || "none"}`,
      });
    }
    for (const { id } of chosen) await client.release(id);
  }
  const ids = chosen.map(({ id }) => id);
  if (json) out.json({ stopped: ids, pid: daemon.record.pid });
  else out.print(`The monitor of ${ids.join(", ") || "no sweep"} has ended; trials go on`);
  return EXIT.done;
}

/** So long a daemon may take for its last step and words. */
const STOP_WAIT_MS = 30_000;

async function goneOf({ record }: FoundDaemon, isAnother = () => false): Promise<void> {
  const { processStart } = await import("../lib/base/pid.ts");
  const until = Date.now() + STOP_WAIT_MS;
  while (processStart(record.pid) !== undefined && !isAnother() && Date.now() < until) {
    await new Promise((next) => setTimeout(next, 50));
  }
}

/** One question, one answer: of the daemon where it holds the sweep, else without it. */
async function ask(
  context: MonitorContext,
  client: ControlClient,
  workspaces: readonly string[],
  message: string,
): Promise<number> {
  const { sameWorkspace } = await import("../lib/daemon/reach.ts");
  const { askOnce } = await import("./ask-once.ts");
  const sweeps = await client.sweeps();
  const others: string[] = [];
  for (const workspace of workspaces) {
    const held = sweeps.find(({ path }) => sameWorkspace(workspace, path));
    if (held === undefined) others.push(workspace);
    else await askOnce(context, client, held, message);
  }
  return others.length === 0 ? EXIT.done : await runHere(context, others);
}

/** Gives the sweeps to the daemon that runs, and follows them. */
async function handOver(
  context: MonitorContext,
  client: ControlClient,
  workspaces: readonly string[],
): Promise<number> {
  const { values, out, json, env } = context;
  const known = new Set((await client.sweeps()).map(({ id }) => id));
  const held = [];
  for (const path of workspaces) {
    held.push(
      await client.hold({
        path,
        env: withoutUndefined(env),
        options: {
          noAgent: values["no-agent"] ?? false,
          ...(values.message === undefined ? {} : { message: values.message }),
        },
      }),
    );
  }
  const ids = held.map(({ id }) => id);
  if (json) {
    out.json({ sweeps: held, started: false });
    return EXIT.done;
  }
  const fresh = ids.filter((id) => !known.has(id));
  if (values.ensure || values.detach || values.background) {
    // Cron mails whatever is printed: nothing, where nothing had to be done.
    if (fresh.length > 0) out.print(`Handed ${fresh.join(", ")} to the running monitor`);
    return EXIT.done;
  }
  say(out, `${ids.join(", ")}: handed to the monitor that runs here; Ctrl-C detaches`);
  return await talk({ ...context, values: {} }, client, held);
}

async function detach(context: MonitorContext, workspaces: readonly string[]): Promise<number> {
  const { values, out, json } = context;
  const { startInBackground } = await import("../lib/daemon/background.ts");
  const flags = [
    ...values["no-agent"] ? ["--no-agent"] : [],
    ...values.local ? ["--local"] : [],
    ...values.message === undefined ? [] : ["-p", values.message],
  ];
  const started = await startInBackground({
    self: ownCommandLine(),
    workspaces,
    flags,
    env: context.env,
    clock: context.clock,
    signal: context.signal,
  });
  if ("ended" in started) {
    if (json) out.json({ sweeps: [], log: started.log });
    else say(out, `The monitor came to its end at once; its last words:\n${started.ended}`);
    return EXIT.done;
  }
  const { refused, lastWords, ...facts } = started;
  if (json) out.json({ ...facts, refused });
  else {
    out.print(`The monitor runs in the background (pid ${started.pid})`);
    out.print(`Its log: ${started.log}`);
    out.print("`herd attach` follows and talks to it, `herd monitor --stop` ends it");
  }
  if (refused.length === 0) return EXIT.done;
  say(out, `It does not hold ${refused.join(", ")}; its last words:\n${lastWords}`);
  return EXIT.negative;
}

/** This process is the daemon, until its sweeps are over or it is told to end. */
async function runHere(
  context: MonitorContext,
  workspaces: readonly string[],
  handed?: Handover,
): Promise<number> {
  const ended = await lifeHere(context, workspaces, handed);
  if ("running" in ended) return await handOver(context, clientOf(ended.running), workspaces);
  const { handover, sweeps, failed } = ended;
  if (handover !== undefined) return await become(context, handover);
  if (context.json) context.out.json({ sweeps });
  if (failed > 0) say(context.out, `${count(failed, "sweep")} could not be monitored`);
  return failed > 0 ? EXIT.negative : EXIT.done;
}

/** With a terminal to talk in, which is given back at its end. */
async function lifeHere(
  context: MonitorContext,
  workspaces: readonly string[],
  handed: Handover | undefined,
): ReturnType<typeof runDaemon> {
  const { values, out, clock, log, env, signal } = context;
  const { runDaemon } = await import("../lib/daemon/run-daemon.ts");
  const input = values.background || values.message !== undefined
    ? undefined
    : terminalInput(signal);
  const user = userName();
  await using channel = createTerminalChannel({
    out,
    clock,
    ports: [],
    input,
    who: { from: `cli:${user}`, name: user },
    newId: () => `cli-${randomUUID()}`,
  });
  return await runDaemon({
    workspaces,
    handed,
    env,
    clock,
    log,
    signal,
    self: ownCommandLine(),
    noAgent: values["no-agent"] ?? false,
    scheduler: values.local ? "local" : undefined,
    once: values.once === true || values.message !== undefined,
    maxTicks: values["max-ticks"],
    message: values.message,
    pool: false,
    broker: false,
    canAsk: () => input !== undefined || values.background === true,
    asker: values.background ? undefined : terminalAsker(),
    // A code that is typed while lines are read would be a message to the agent.
    begin: () => channel.start(),
    onWarning: (message) => say(out, message),
    // One JSON document and nothing else on standard output.
    open: (port) => context.json ? Promise.resolve() : channel.add(port),
    close: (id) => channel.remove(id),
  });
}

function withoutUndefined(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((one): one is [string, string] => one[1] !== undefined),
  );
}
