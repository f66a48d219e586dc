import { EXIT } from "../lib/base/exit-codes.ts";
import { createControlClient } from "../lib/control/client.ts";
import type { Context } from "./command.ts";
import { ownCommandLine, say } from "./open.ts";
import { become } from "./restart-daemon.ts";

export interface Part {
  name: "pool" | "broker";
  /** Throws what is wrong with its configuration; its doubts are told. */
  check(onNotice: (notice: { message: string }) => void): Promise<void>;
  /** What becomes of it while nothing runs. */
  meanwhile: string;
}

/** Runs a part of the daemon: in the daemon that is there, else here or in the background. */
export async function startPart(
  context: Pick<Context, "out" | "json" | "env" | "clock" | "signal" | "log">,
  { name, check, meanwhile }: Part,
  { detach }: { detach: boolean },
): Promise<number> {
  const { out, json, env, clock, signal, log } = context;
  const { findDaemon, placeOf } = await import("../lib/daemon/reach.ts");
  // Its mistakes are told before anything is started.
  await check(({ message }) => say(out, message));
  const daemon = await findDaemon(placeOf(env), { signal });
  if (daemon !== undefined) {
    const { address, token, record } = daemon;
    const client = createControlClient({ address, token, way: "cli" });
    await client.request("POST", `/v1/${name}/start`, {});
    if (json) out.json({ pid: record.pid, started: false });
    else out.print(`The ${name} runs in the daemon that is there (pid ${record.pid})`);
    return EXIT.done;
  }
  if (detach) {
    const { startPartInBackground } = await import("../lib/daemon/background.ts");
    const started = await startPartInBackground(name, {
      ...{ self: ownCommandLine(), env, clock, signal },
    });
    if (json) out.json(started);
    else {
      out.print(`The ${name} runs in the background (pid ${started.pid})`);
      out.print(`Its log: ${started.log}`);
      out.print(`\`herd ${name}\` looks at it, \`herd monitor --stop\` ends the daemon`);
    }
    return EXIT.done;
  }
  const { runDaemon } = await import("../lib/daemon/run-daemon.ts");
  say(out, `The ${name} runs here; Ctrl-C ends it, ${meanwhile}`);
  const ended = await runDaemon({
    workspaces: [],
    ...{ env, clock, log, signal },
    self: ownCommandLine(),
    noAgent: false,
    scheduler: undefined,
    once: false,
    maxTicks: undefined,
    message: undefined,
    pool: name === "pool",
    broker: name === "broker",
    canAsk: () => false,
    onWarning: (message) => say(out, message),
    open: () => Promise.resolve(),
    close: () => {},
  });
  if ("handover" in ended && ended.handover !== undefined) {
    return await become(context, ended.handover);
  }
  if ("running" in ended) return await startPart(context, { name, check, meanwhile }, { detach });
  return EXIT.done;
}
