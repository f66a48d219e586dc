import { EXIT } from "../../lib/base/exit-codes.ts";
import { createControlClient } from "../../lib/control/client.ts";
import { ownCommandLine, say } from "../open.ts";
import { become } from "../restart-daemon.ts";
import type { BrokerContext } from "./options.ts";

/** Runs the bots: in the daemon that is there, else here or in the background. */
export async function start(context: BrokerContext): Promise<number> {
  const { values, out, json, env, clock, signal, log } = context;
  const { findDaemon, placeOf } = await import("../../lib/daemon/reach.ts");
  const { readBrokerSettings } = await import("../../lib/daemon/broker-settings.ts");
  // Its mistakes are told before anything is started.
  readBrokerSettings(env, ({ message }) => say(out, message));
  const daemon = await findDaemon(placeOf(env), { signal });
  if (daemon !== undefined) {
    const { address, token, record } = daemon;
    const client = createControlClient({ address, token, way: "cli" });
    await client.request("POST", "/v1/broker/start", {});
    if (json) out.json({ pid: record.pid, started: false });
    else out.print(`The broker runs in the daemon that is there (pid ${record.pid})`);
    return EXIT.done;
  }
  if (values.detach) {
    const { startPartInBackground } = await import("../../lib/daemon/background.ts");
    const started = await startPartInBackground("broker", {
      ...{ self: ownCommandLine(), env, clock, signal },
    });
    if (json) out.json(started);
    else {
      out.print(`The broker runs in the background (pid ${started.pid})`);
      out.print(`Its log: ${started.log}`);
      out.print("`herd broker` looks at it, `herd monitor --stop` ends the daemon");
    }
    return EXIT.done;
  }
  const { runDaemon } = await import("../../lib/daemon/run-daemon.ts");
  say(out, "The broker runs here; Ctrl-C ends it, what waits is answered when it is back");
  const ended = await runDaemon({
    workspaces: [],
    ...{ env, clock, log, signal },
    self: ownCommandLine(),
    noAgent: false,
    scheduler: undefined,
    once: false,
    maxTicks: undefined,
    message: undefined,
    pool: false,
    broker: true,
    canAsk: () => false,
    onWarning: (message) => say(out, message),
    open: () => Promise.resolve(),
    close: () => {},
  });
  if ("running" in ended) return await start(context);
  if (ended.handover !== undefined) return await become(context, ended.handover);
  return EXIT.done;
}
