import { readFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { resolve } from "node:path";
import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { codeOf } from "../lib/base/files.ts";
import { createControlClient } from "../lib/control/client.ts";
import type { Answer, ControlClient } from "../lib/control/client.ts";
import type { DaemonRecord } from "../lib/control/daemon-record.ts";
import { noDaemon } from "../lib/control/exchange.ts";
import { isFailureDocument } from "../lib/control/failure.ts";
import { findDaemon } from "../lib/control/find-daemon.ts";
import { userPlace } from "../lib/control/user-place.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { curlLine } from "./curl-line.ts";

const METHODS = ["GET", "POST", "PUT", "DELETE"] as const;

const OPTIONS = [
  {
    name: "method",
    short: "X",
    value: "METHOD",
    choices: METHODS,
    description: "Of the request; default GET, with --data POST",
  },
  {
    name: "data",
    short: "d",
    value: "JSON",
    description: "The body; @FILE reads it from a file, - from standard input",
  },
  { name: "follow", short: "f", description: "Print what a stream sends, a line each" },
  { name: "curl", description: "Print the same request as a line for curl and send nothing" },
  { name: "where", description: "Print where the daemon answers and where its token is" },
] as const;

export const command = defineCommand({
  name: "api",
  summary: "Ask the running daemon over its HTTP API",
  details: "A PATH without a slash in front is below /v1/. JSON is indented on a terminal and\n" +
    "printed as it came in a pipe. docs/api.md and the path /openapi.json say what there is.\n" +
    "Exit codes: 1 for what is not there, 2 for a wrong request, 3 where the daemon declines\n" +
    "or none runs, 4 and 5 for trouble with the scheduler.",
  arguments: [{
    name: "PATH",
    optional: true,
    description: "Such as sweeps, or /healthz; none with --where",
  }],
  options: OPTIONS,
  examples: [
    { line: "herd api sweeps", meaning: "what the daemon holds" },
    { line: "herd api sweeps/lr/trials?status=failed", meaning: "its failed trials" },
    {
      line: `herd api sweeps/lr/actions/stop -d '{"indices": [3]}'`,
      meaning: "have something done",
    },
    { line: "herd api sweeps/lr/events --follow", meaning: "every event as it happens" },
    { line: "herd api --where", meaning: "socket, port and token, for programs of your own" },
  ],
  async run(context) {
    const { values, out, env, cwd, signal } = context;
    if (!values.where) refuseNoPath(context.positionals);
    const path = pathOf(context.positionals[0] ?? "sweeps");
    const body = values.data === undefined ? undefined : bodyOf(values.data, cwd);
    const method = values.method ?? (body === undefined ? "GET" : "POST");
    const place = userPlace(env, userInfo().uid, hostname());
    const daemon = await findDaemon(place, { signal });
    if (daemon === undefined) throw noDaemon(`${place.folder}`);
    if (values.where) return showWhere(context, daemon.record);
    if (values.curl) {
      const { address, record: { tokenPath } } = daemon;
      out.print(curlLine({ address, tokenPath }, { method, path, body }));
      return EXIT.done;
    }
    const { address, token } = daemon;
    const client = createControlClient({ address, token, way: "api" });
    if (values.follow) return await follow(context, client, path);
    const answer = await client.send(method, path, body, { signal });
    show(context, answer);
    return exitCodeOf(answer);
  },
});

function refuseNoPath({ length }: readonly string[]): void {
  if (length > 0) return;
  throw new UserError("Cannot ask the daemon for nothing: a PATH is missing", {
    hint: "Such as: herd api sweeps; --where says where the daemon answers",
  });
}

function showWhere({ out, json }: Pick<Context, "out" | "json">, record: DaemonRecord): number {
  const { socketPath: socket, port, tokenPath: token_file, host, pid, version } = record;
  if (json) out.json({ socket, port, token_file, host, pid, version });
  else {
    out.print(`Socket  ${socket}`);
    out.print(`Port    ${port} of 127.0.0.1`);
    out.print(`Token   in ${token_file}`);
    out.print(`Daemon  ${version}, process ${pid} on ${host}`);
  }
  return EXIT.done;
}

function pathOf(given: string): string {
  const path = given.startsWith("/") ? given : `/v1/${given}`;
  // Anything else is percent-encoded in a URL; Node would refuse it without saying where.
  if (/^[\x21-\x7e]+$/.test(path)) return path;
  throw new UserError(`Cannot ask for "${given}": a path has no spaces and no special letters`, {
    hint: "Write them percent-encoded, a space as %20",
  });
}

function bodyOf(data: string, cwd: string): string {
  const text = data === "-"
    ? readFileSync(0, "utf8")
    : data.startsWith("@")
    ? readBody(resolve(cwd, data.slice(1)))
    : data;
  try {
    JSON.parse(text);
  } catch (error) {
    throw new UserError(`Cannot send --data: it is no JSON (${(error as Error).message})`, {
      hint: `In a shell, quotes around all of it: -d '{"indices": [3]}'`,
    });
  }
  return text;
}

function readBody(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError(`Cannot read --data from "${path}" (${codeOf(error)})`, { cause: error });
  }
}

/** Data of each frame on a line of its own, until the stream or the user ends it. */
async function follow(
  { out, signal }: Pick<Context, "out" | "signal">,
  client: ControlClient,
  path: string,
): Promise<number> {
  await client.events(path, { signal }, ({ data }) => out.print(data));
  signal.throwIfAborted();
  return EXIT.done;
}

function show({ out, json }: Pick<Context, "out" | "json">, answer: Answer): void {
  const pretty = (out.interactive || json) && answer.type.startsWith("application/json");
  const text = pretty ? JSON.stringify(JSON.parse(answer.text), null, 2) : answer.text;
  out.write(text.endsWith("\n") ? text : `${text}\n`);
  const failure = failureOf(answer);
  // In a pipe the document may go anywhere; the person still reads why it failed.
  if (failure !== undefined && !out.interactive) out.printError(`Error: ${failure}`);
}

function failureOf({ status, text }: Answer): string | undefined {
  if (status < 400) return undefined;
  try {
    const document: unknown = JSON.parse(text);
    if (isFailureDocument(document)) return document.error.message;
  } catch {
    // Told by its status below.
  }
  return `The daemon answered ${status}`;
}

function exitCodeOf({ status }: Answer): number {
  if (status < 400) return EXIT.done;
  if (status === 404) return EXIT.negative;
  if (status === 401 || status === 403 || status === 409) return EXIT.refused;
  if (status < 500) return EXIT.mistake;
  if (status === 503) return EXIT.unreachable;
  return status === 502 ? EXIT.rejected : EXIT.unexpected;
}
