import { RefusedError, SchedulerError, UserError } from "../base/errors.ts";
import { z } from "../base/schema.ts";
import type { SshHost } from "../ssh/ssh-host.ts";
import { herdThere, NO_PROGRAM } from "./run-there.ts";

/** The daemon of this user on a host, as `herd api --where --json` tells it there. */
export interface DaemonThere {
  socket: string;
  port: number;
  host: string;
  pid: number;
  version: string;
  token: string;
}

const Where = z.object({
  socket: z.string().startsWith("/"),
  port: z.int().positive().max(65_535),
  token_file: z.string().startsWith("/"),
  host: z.string(),
  pid: z.int().positive(),
  version: z.string(),
});

const Failure = z.object({
  error: z.object({
    message: z.string(),
    hint: z.string().nullable(),
    daemon: z.string().optional(),
  }),
});

/** A login shell that loads modules may take long. Milliseconds. */
const TIMEOUT_MS = 60_000;

/** Throws RefusedError where none runs, UserError where herd cannot be asked, SchedulerError where the host is lost. */
export async function findDaemonThere(
  host: Pick<SshHost, "name" | "run">,
  signal: AbortSignal,
): Promise<DaemonThere> {
  const options = { timeoutMs: TIMEOUT_MS, signal };
  const asked = await host.run(herdThere(["api", "--where", "--json"]), options);
  signal.throwIfAborted();
  if (asked.lost !== undefined || asked.timedOut) throw lost(host.name, asked.lost);
  if (asked.exitCode === NO_PROGRAM) {
    throw new UserError(`Cannot run herd on "${host.name}": it is not installed there`, {
      hint: `Put it there: herd deploy ${host.name}`,
    });
  }
  const document = parsed(asked.stdout);
  const where = Where.safeParse(document);
  if (!where.success) throw refusal(host.name, document, asked.stderr);
  const { token_file: path, ...place } = where.data;
  // Through the connection, and neither in arguments nor in a file between.
  const read = await host.run(["cat", "--", path], options);
  signal.throwIfAborted();
  const token = read.stdout.trim();
  if (read.ok && token !== "") return { ...place, token };
  if (read.lost !== undefined || read.timedOut) throw lost(host.name, read.lost);
  throw new UserError(`Cannot read the daemon's token "${path}" on "${host.name}"`);
}

function lost(name: string, why: string | undefined): SchedulerError {
  return new SchedulerError(
    "unreachable",
    `Cannot look for the daemon on "${name}": ${why ?? "herd does not answer there"}`,
  );
}

function refusal(name: string, document: unknown, stderr: string): Error {
  const failure = Failure.safeParse(document);
  if (failure.success && failure.data.error.daemon === "none") {
    return new RefusedError(`No daemon of yours answers on "${name}"`, {
      hint:
        `\`herd --host ${name} monitor --detach SWEEP\` starts one; it is of one login node, so ` +
        "name that node where there are several",
      facts: { daemon: "none" },
    });
  }
  const said = failure.success ? failure.data.error.message : stderr.trim().split("\n").at(-1);
  return new UserError(
    `Cannot ask herd on "${name}" for its daemon${said ? `: it says "${said}"` : ""}`,
    { hint: `An older herd cannot tell; herd deploy ${name} puts this one there` },
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
