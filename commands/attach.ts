import { randomUUID } from "node:crypto";
import { realpathSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { dirname, resolve } from "node:path";
import type { InfoDocument } from "../lib/actions/desk.ts";
import { NothingError, UserError } from "../lib/base/errors.ts";
import { userName } from "../lib/base/user-name.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { createControlClient } from "../lib/control/client.ts";
import type { ControlClient } from "../lib/control/client.ts";
import { noDaemon } from "../lib/control/exchange.ts";
import { findDaemon } from "../lib/control/find-daemon.ts";
import { userPlace } from "../lib/control/user-place.ts";
import { defineCommand } from "./command.ts";
import type { Context } from "./command.ts";
import { say } from "./open.ts";
import { createRemotePort, lastTalk, sweepPath } from "./remote-port.ts";
import { hostOf, runThereCommand } from "./run-there.ts";
import { createTerminalChannel } from "./terminal-channel.ts";
import { terminalInput } from "./terminal-input.ts";

const USUAL_POSTS = 20;

const OPTIONS = [
  { name: "host", value: "NAME", description: "The monitor on this host, reached by ssh" },
  { name: "no-follow", description: "Print the last posts and end" },
  {
    name: "lines",
    short: "n",
    value: "N",
    number: "whole",
    least: 0,
    description: "Posts from before (default 20, at most 1000)",
  },
] as const;

type AttachContext = Context<typeof OPTIONS>;

export const command = defineCommand({
  name: "attach",
  summary: "Follow the running monitor in this terminal and talk to it",
  details:
    "Shows the last posts and then each new one. Lines that begin with a slash are commands\n" +
    "(/help lists them) and cost nothing; anything else is a message to the agent. With several\n" +
    "sweeps a line begins with the name of the one that is meant: @name how is it going?\n" +
    "Ctrl-D ends typing, Ctrl-C detaches; the monitor goes on.",
  arguments: [{
    name: "WORKSPACE",
    optional: true,
    description: "Only this sweep; default the one of this folder, else all",
  }],
  options: OPTIONS,
  examples: [
    { line: "herd attach", meaning: "every sweep of the daemon, or that of this folder" },
    { line: "herd attach sweep --no-follow", meaning: "what was said last" },
    { line: "herd attach --host login", meaning: "the monitor that runs on a login node" },
    { line: "herd attach --json | jq .what", meaning: "every event as a line of JSON" },
  ],
  async run(context) {
    const { env, signal } = context;
    if (context.values.host !== undefined) return await attachThere(context);
    const place = userPlace(env, userInfo().uid, hostname());
    const daemon = await findDaemon(place, { signal });
    if (daemon === undefined) throw noDaemon(place.folder);
    const { address, token } = daemon;
    const renew = () => findDaemon(place, { signal });
    const client = createControlClient({ address, token, renew, way: "cli" });
    const sweeps = choose(context, await client.sweeps());
    if (context.json) return await printEvents(context, client, sweeps);
    return await talk(context, client, sweeps);
  },
});

/** As `herd --host NAME attach …` does it. */
async function attachThere(context: AttachContext): Promise<number> {
  const { values, positionals, json } = context;
  const { host = "", lines } = values;
  const words = [
    ...(values["no-follow"] ? ["--no-follow"] : []),
    ...(lines === undefined ? [] : [`--lines=${lines}`]),
    ...(json ? ["--json"] : []),
    ...(positionals.length === 0 ? [] : ["--", ...positionals]),
  ];
  const there = hostOf(["--host", host, "attach", ...words])!;
  return await runThereCommand(there.host, there.words, context);
}

/** The sweeps that are meant. */
function choose(
  { positionals, cwd }: Pick<Context, "positionals" | "cwd">,
  sweeps: readonly InfoDocument[],
): readonly InfoDocument[] {
  const [given] = positionals;
  if (sweeps.length === 0) {
    throw new NothingError("The monitor holds no sweep", {
      hint: "`herd monitor WORKSPACE` hands it one",
    });
  }
  const found = sweeps.filter(({ id, path }) =>
    id === given || isSame(path, resolve(cwd, given ?? "."))
  );
  if (found.length > 0) return found;
  if (given === undefined) return sweeps;
  const names = sweeps.map(({ id, path }) => `${id} in "${path}"`).join(", ");
  throw new UserError(`Cannot attach to "${given}": the monitor does not hold it`, {
    hint: `It holds ${names}; \`herd monitor ${given}\` hands it this one`,
  });
}

/** A folder, or the YAML in it; through links as well. */
function isSame(path: string, given: string): boolean {
  const real = realOf(given);
  return [given, real, dirname(real)].includes(path) ||
    [real, dirname(real)].includes(realOf(path));
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function pastOf({ values }: { values: { lines?: number | undefined } }): number {
  return Math.min(1000, values.lines ?? USUAL_POSTS);
}

/** A line of JSON for each event: the last posts, then whatever happens. */
async function printEvents(
  context: AttachContext,
  client: ControlClient,
  sweeps: readonly InfoDocument[],
): Promise<number> {
  const { out, signal, values } = context;
  const several = sweeps.length > 1;
  await Promise.all(sweeps.map(async ({ id }) => {
    const print = (data: object) =>
      out.print(JSON.stringify(several ? { sweep: id, ...data } : data));
    const past = await lastTalk(client, id, pastOf(context)) ?? [];
    past.forEach(print);
    if (values["no-follow"]) return;
    const after = past.at(-1)?.seq;
    const following = { signal, ...(after === undefined ? {} : { after }) };
    await client.events(`${sweepPath(id)}/events`, following, (frame) => {
      if (frame.event === "message") print(JSON.parse(frame.data));
    });
  }));
  return EXIT.done;
}

/** Follows these sweeps until they end or the terminal goes away. */
export async function talk(
  context: Pick<AttachContext, "out" | "clock" | "signal"> & {
    values: { "no-follow"?: boolean; lines?: number | undefined };
  },
  client: ControlClient,
  sweeps: readonly InfoDocument[],
): Promise<number> {
  const { out, clock, signal, values } = context;
  const follows = !values["no-follow"];
  const user = userName();
  // Streams and input end with the channel, whatever ends it.
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const ports = await Promise.all(sweeps.map(async ({ id }) => {
    const past = await lastTalk(client, id, pastOf(context));
    const port = createRemotePort(client, { id, past }, both);
    return follows ? port : { ...port, onEvent: () => () => {} };
  }));
  await using channel = createTerminalChannel({
    out,
    clock,
    ports,
    input: follows ? terminalInput(both) : undefined,
    who: { from: `cli:${user}`, name: user },
    newId: () => `cli-${randomUUID()}`,
  });
  try {
    await channel.start();
    if (!follows) return EXIT.done;
    for (const info of sweeps) tellStanding(context, info);
    await Promise.all(ports.map(async ({ id, ended }) => {
      await ended;
      if (!signal.aborted) say(out, `The monitor of ${id} has ended`);
    }));
    if (signal.aborted) {
      say(out, "Detached: the monitor goes on. `herd attach` comes back, /stop there ends it");
    }
    return EXIT.done;
  } finally {
    over.abort();
  }
}

/** What waits for a person, however long ago it was asked. */
function tellStanding({ out }: Pick<Context, "out">, info: InfoDocument): void {
  const { id, question, confirmations, halted } = info;
  if (halted !== null) say(out, `${id} is halted: ${halted}; /continue ends that`);
  if (question !== null) say(out, `${id} waits for an answer: ${question}`);
  for (const { id: key, what } of confirmations) {
    say(out, `${id} waits for a word: ${what}; /confirm ${key} or /deny ${key}`);
  }
}
