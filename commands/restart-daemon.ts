import { RefusedError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { createControlClient } from "../lib/control/client.ts";
import type { FoundDaemon } from "../lib/control/find-daemon.ts";
import type { Handover } from "../lib/daemon/handover.ts";
import type { Context } from "./command.ts";
import { ownCommandLine, say } from "./open.ts";

/** So long a daemon may take to end its steps, start anew and take its sweeps. */
const RESTART_WAIT_MS = 90_000;

/** Has the daemon become the executable that lies at its path now, and waits until it holds all again. */
export async function restart(
  context: Pick<Context, "out" | "json" | "env" | "clock" | "signal">,
  daemon: FoundDaemon | undefined,
): Promise<number> {
  const { out, json } = context;
  if (daemon === undefined) {
    if (json) out.json({ restarted: false });
    else out.print("Nothing to restart: no monitor runs here");
    return EXIT.done;
  }
  const client = clientOf(daemon);
  const held = (await client.sweeps()).length;
  const before = daemon.record.version;
  const { version } = await client.request<{ version: string }>("POST", "/v1/restart", {});
  const { pid, sweeps } = await untilBack(context, daemon, held);
  if (json) out.json({ restarted: true, pid, version, before, sweeps });
  else {
    const what = sweeps.length === 0 ? "" : ` and holds ${sweeps.join(", ")}`;
    out.print(`The monitor (pid ${pid}) is herd ${version} now${what}`);
  }
  return EXIT.done;
}

async function untilBack(
  { env, clock, signal }: Pick<Context, "env" | "clock" | "signal">,
  old: FoundDaemon,
  held: number,
): Promise<{ pid: number; sweeps: string[] }> {
  const { findDaemon, placeOf } = await import("../lib/daemon/reach.ts");
  const place = placeOf(env);
  const until = clock.now() + RESTART_WAIT_MS;
  let found: { pid: number; sweeps: string[] } | undefined;
  while (clock.now() < until) {
    const daemon = await findDaemon(place, { signal });
    if (daemon !== undefined && daemon.record.startedAt !== old.record.startedAt) {
      // It may be over in this moment.
      const sweeps = await clientOf(daemon).sweeps().catch(() => []);
      found = { pid: daemon.record.pid, sweeps: sweeps.map(({ id }) => id) };
      if (found.sweeps.length >= held) return found;
    }
    await clock.sleep(100, signal);
  }
  if (found !== undefined) return found;
  throw new RefusedError("Cannot tell how the restart went: the monitor does not answer again", {
    hint: `Its last words: ${place.log}; herd monitor starts it anew, the trials go on meanwhile`,
  });
}

/** This process becomes the new version, or starts it where that cannot be. */
export async function become(
  { out, env }: Pick<Context, "out" | "env">,
  handover: Handover,
): Promise<number> {
  const { becomeSuccessor } = await import("../lib/daemon/successor.ts");
  out.close();
  becomeSuccessor(handover, {
    ...{ env, self: ownCommandLine(), words: process.argv.slice(2) },
    say: (text) => say(out, text),
  });
  return EXIT.done;
}

function clientOf({ address, token }: FoundDaemon) {
  return createControlClient({ address, token, way: "cli" });
}
