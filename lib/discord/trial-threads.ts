import type { Desk } from "../actions/desk.ts";
import { isSaid } from "../slash/show-logged.ts";
import type { Clock } from "../base/clock.ts";
import { DiscordError } from "./discord-error.ts";
import type { ChannelMemory } from "./memory.ts";
import type { Button, Id, Outgoing, OutgoingFile } from "./message.ts";
import type { DiscordRest } from "./rest.ts";
import { createSerial } from "./serial.ts";

export interface TrialThreadsParts {
  desk: Pick<Desk, "trial" | "log">;
  rest: Pick<DiscordRest, "startThread" | "send" | "editChannel">;
  memory: ChannelMemory;
  clock: Clock;
  channelId(): Id | undefined;
  /** The end of a log as posts. */
  viewLog(title: string, text: string): readonly Outgoing[];
  /** A picture of what the trial logged; undefined when there is nothing to draw. */
  curve(trial: number): Promise<OutgoingFile | undefined>;
  /** Buttons under its log. */
  offer?(trial: number): readonly Button[];
  log(level: "info", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export interface TrialThreads {
  /** The trial's thread, made or opened again, with log and curve posted anew. Throws DiscordError. */
  open(trial: number, from: Id | undefined): Promise<Id>;
  /** The trial's thread as it is; only a new one gets log and curve. Throws DiscordError. */
  find(trial: number): Promise<Id>;
  /** The same at a failure, as long as it is no flood; says nothing of what goes wrong. */
  atFailure(trial: number, from: Id): void;
  /** The trial that a thread is of. */
  trialOf(thread: Id): number | undefined;
}

const LINES = 40;
/** A sweep that fails as a whole needs one answer, not a hundred threads. */
const AUTOMATIC = 5;
const WINDOW_MS = 60 * 60_000;
const ARCHIVE_MINUTES = 1440;
/** "A thread has already been created for this message". */
const HAS_THREAD = 160004;

export function createTrialThreads(parts: TrialThreadsParts): TrialThreads {
  const { desk, rest, memory, clock } = parts;
  const serial = createSerial();
  let opened: number[] = [];

  async function find(trial: number): Promise<Id> {
    const channel = parts.channelId();
    const document = desk.trial(trial);
    if (channel === undefined || document === undefined) throw noTrial(trial);
    const known = await reopened(trial);
    if (known !== undefined) return known;
    const thread = await made(channel, trial, document, undefined);
    await tell(thread, trial).catch((error) =>
      parts.log("info", `Cannot tell of trial ${trial} in its thread`, { error: `${error}` })
    );
    return thread;
  }

  async function open(trial: number, from: Id | undefined): Promise<Id> {
    const channel = parts.channelId();
    const document = desk.trial(trial);
    if (channel === undefined || document === undefined) throw noTrial(trial);
    const thread = await reopened(trial) ?? await made(channel, trial, document, from);
    await tell(thread, trial);
    return thread;
  }

  async function reopened(trial: number): Promise<Id | undefined> {
    const known = memory.read().threads[trial];
    if (known === undefined) return undefined;
    try {
      return (await rest.editChannel(known, { archived: false })).id;
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      // What may not be opened by us opens by itself when something is said in it.
      return error.kind === "missing" ? undefined : known;
    }
  }

  async function made(
    channel: Id,
    trial: number,
    { experiment_name: name }: { experiment_name: string },
    from: Id | undefined,
  ): Promise<Id> {
    const title = [...`trial ${trial} · ${name}`.replace(/\s+/g, " ")].slice(0, 90).join("");
    const thread = await startThread(channel, title, from);
    memory.write({ threads: { ...memory.read().threads, [trial]: thread } });
    return thread;
  }

  async function startThread(channel: Id, name: string, from: Id | undefined): Promise<Id> {
    const wanted = { name, archiveMinutes: ARCHIVE_MINUTES } as const;
    if (from === undefined) return (await rest.startThread(channel, wanted)).id;
    try {
      return (await rest.startThread(channel, { ...wanted, from })).id;
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      // A thread that hangs under a message has the message's id.
      if (error.code === HAS_THREAD) return from;
      if (error.kind !== "missing") throw error;
      return (await rest.startThread(channel, wanted)).id;
    }
  }

  async function tell(thread: Id, trial: number): Promise<void> {
    const { stream, text } = tailOf(trial);
    const views = parts.viewLog(`trial ${trial}, ${stream}`, text);
    const row = parts.offer?.(trial) ?? [];
    for (const [i, part] of views.entries()) {
      const isLast = i === views.length - 1;
      await rest.send(thread, isLast && row.length > 0 ? { ...part, rows: [row] } : part);
    }
    const curve = await parts.curve(trial);
    if (curve !== undefined) await rest.send(thread, { files: [curve] });
  }

  /** The errors' stream when it says something. */
  function tailOf(trial: number): { stream: "stderr" | "stdout"; text: string } {
    const errors = desk.log(trial, { stream: "stderr", lines: LINES }).text;
    if (errors.split("\n").some(isSaid)) return { stream: "stderr", text: errors };
    return { stream: "stdout", text: desk.log(trial, { stream: "stdout", lines: LINES }).text };
  }

  return {
    find: (trial) => serial(() => find(trial)),
    open: (trial, from) => serial(() => open(trial, from)),
    atFailure(trial, from) {
      opened = opened.filter((at) => clock.now() - at < WINDOW_MS);
      if (opened.length >= AUTOMATIC) return;
      opened.push(clock.now());
      void serial(() => open(trial, from)).catch((error) =>
        parts.log("info", `Cannot open a thread for trial ${trial}`, { error: `${error}` })
      );
    },
    trialOf(thread) {
      const found = Object.entries(memory.read().threads).find(([, id]) => id === thread);
      return found === undefined ? undefined : Number(found[0]);
    },
  };
}

function noTrial(trial: number): DiscordError {
  return new DiscordError(`Cannot open a thread: there is no trial ${trial}`, { kind: "rejected" });
}
