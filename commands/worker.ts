import { currentBuild } from "../lib/base/build.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { UserError } from "../lib/base/errors.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { ownCommandLine, say } from "./open.ts";

const OPTIONS = [
  {
    name: "slots",
    short: "s",
    value: "N",
    number: "whole",
    least: 1,
    description: "Tasks at the same time (default 1)",
  },
  { name: "name", value: "NAME", description: "As it was enrolled; default worker-1" },
  {
    name: "label",
    short: "l",
    value: "LABEL",
    repeatable: true,
    description: "What tasks may ask for",
  },
  { name: "code", value: "CODE", description: "Of `herd pool enrol`, once" },
  {
    name: "address",
    value: "URL",
    description: "Where a tunnel to the daemon ends: http://127.0.0.1:PORT",
  },
  {
    name: "pool",
    value: "FOLDER",
    description: "Reach the pool by its folder on a shared file system",
  },
  {
    name: "via",
    value: "WAY",
    choices: ["http", "files", "discord"],
    description: "How it reaches the pool; the code says it, too",
  },
  {
    name: "token-env",
    value: "NAME",
    description: "Over Discord: variable with the token of the worker's own bot",
  },
  { name: "alone", description: "Without the supervisor that starts it again" },
] as const;

export const command = defineCommand({
  name: "worker",
  summary: "Work for a pool: take tasks, run agents, give results back",
  details:
    "On the machine and under the user of the daemon nothing else is needed. Elsewhere enrol it\n" +
    "first: `herd pool enrol NAME` where the pool runs. A supervisor starts it again when it\n" +
    "crashes. Ctrl-C ends it and its agents; what they did not finish is offered again. Let it\n" +
    "finish first with `herd pool drain NAME`.",
  options: OPTIONS,
  examples: [
    { line: "herd worker --slots 3", meaning: "here, three tasks at a time" },
    { line: "herd worker --code 3fQx…", meaning: "once, with the code of herd pool enrol" },
    {
      line: "herd worker --name gpu-1 --pool ~/.local/state/herd/login1/pool",
      meaning: "by files",
    },
  ],
  async run(context) {
    const { values, env, signal, out } = context;
    const { enrolWorker } = await import("../lib/daemon/enrol-worker.ts");
    if (values.code !== undefined) say(out, "Enrolling; the pool may take a minute to answer");
    const name = await enrolWorker({
      name: values.name,
      code: values.code,
      address: values.address,
      pool: values.pool,
      labels: values.label,
      via: values.via,
      tokenEnv: values["token-env"],
      clock: context.clock,
      log: context.log,
      env,
      signal,
    });
    if (values.alone) return await work(context, name);
    const { superviseWorker } = await import("../lib/daemon/supervise-worker.ts");
    const { executableStamp, untilNewExecutable } = await import(
      "../lib/daemon/new-executable.ts"
    );
    const labels = values.label.flatMap((label) => ["--label", label]);
    const words = ["worker", "--name", name, "--slots", `${values.slots ?? 1}`, ...labels];
    const own = ownCommandLine();
    const path = own[0] ?? "";
    const watched = {
      ...{ path, stamp: executableStamp(path), clock: context.clock },
      say: (text: string) => say(out, text),
    };
    return await superviseWorker({
      argv: [...own, ...words, "--alone"],
      env,
      clock: context.clock,
      signal,
      say: watched.say,
      upgraded: (signal) => untilNewExecutable(watched, signal),
      becomeNew() {
        // For whoever runs the next line in a process that could not become another.
        watched.stamp = executableStamp(path);
        process.execve?.(path, [...own, ...words], definedOnly(env));
      },
    });
  },
});

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((one): one is [string, string] => one[1] !== undefined),
  );
}

/** This very executable, whatever lies at its path by now: an attempt is never of another version. */
function ownAttemptLine(): string[] {
  return currentBuild().compiled ? [`/proc/${process.pid}/exe`] : ownCommandLine();
}

async function work(
  { values, env, clock, log, signal, out }: Context<typeof OPTIONS>,
  name: string,
): Promise<number> {
  const { runWorker } = await import("../lib/daemon/run-worker.ts");
  const { listenForLeave } = await import("../lib/daemon/worker-leave.ts");
  let shown = "";
  const end = await runWorker({
    name,
    slots: values.slots ?? 1,
    labels: values.label,
    self: ownAttemptLine(),
    env,
    clock,
    log,
    signal,
    say: (text) => say(out, text),
    onLeave: (leave) => listenForLeave({ env, clock, leave, say: (text) => say(out, text) }),
    onStatus({ link, trouble, drain, running }) {
      const doing = running.map(({ task, phase }) => `${task} ${phase}`.trim()).join(", ");
      const line = link === "away"
        ? `${name}: the pool does not answer: ${trouble}`
        : running.length > 0
        ? `${name}: CLAIMED ${doing}`
        : `${name}: ${link === "new" ? "looking for the pool" : drain ? "DRAINING" : "READY"}`;
      if (line !== shown) out.print(line);
      shown = line;
    },
  });
  if (end.kind === "dismissed") {
    throw new UserError(`Worker "${name}" is not wanted any more: ${end.why}`, {
      hint: "`herd pool` shows why; enrol it anew to bring it back",
    });
  }
  return EXIT.done;
}
