import type { Clock } from "../base/clock.ts";
import type { Event } from "../sweep/event.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { PoolHappening, TaskEnd } from "../tasks/pool-event.ts";
import type { Task } from "../tasks/task.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id, Outgoing } from "./message.ts";
import { deliveryOf, NOTHING } from "./pool-delivery.ts";
import { createPoolFeed, UNKNOWN_MESSAGE } from "./pool-feed.ts";
import type { PoolFeed } from "./pool-feed.ts";
import type { PoolMemory } from "./pool-memory.ts";
import { answerView, plainResult, resultLine, resultView } from "./pool-result-view.ts";
import type { ResultFacts } from "./pool-result-view.ts";
import { messageUrl } from "./pool-text.ts";
import { nonceOf } from "./post-view.ts";
import { findPosted, lastTold } from "./pool-told.ts";
import type { DiscordRest } from "./rest.ts";

export interface PoolResultsParts {
  desk: Pick<PoolDesk, "events" | "onEvent" | "state" | "config" | "file">;
  rest: Pick<DiscordRest, "send" | "messages" | "me">;
  memory: PoolMemory;
  clock: Clock;
  random(): number;
  guildId: Id;
  channel(signal: AbortSignal): Promise<Id>;
  queueId(): Id | undefined;
  /** The bot's own user, once it is connected. */
  me(): Id | undefined;
  onLost(): void;
  onTrouble(trouble: string | undefined): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

interface Due {
  seq: number;
  at: number;
  task: string;
  status: TaskEnd;
  why: string;
}

const ROOM = 1_900;
/** A result that is older and was not told is no news any more, when nobody knows what was told. */
const YOUNG_MS = 60 * 60_000;

function pick(event: Event<PoolHappening> | undefined): Due | undefined {
  if (event?.what.type !== "task-ended") return undefined;
  const { seq, at, what: { task, status, why } } = event;
  return { seq, at, task, status, why };
}

/** One post for each task that ended, and a short one where it was asked for. */
export function createPoolResults(parts: PoolResultsParts): PoolFeed {
  const { desk, rest, memory, guildId } = parts;
  const { mark } = memory.read();

  function factsOf({ seq, at, task: id, status, why }: Due): ResultFacts | undefined {
    const task = desk.state().tasks.get(id);
    if (task === undefined) return undefined;
    const { model, thinking } = desk.config().defaults;
    const attempt = task.attempts.find(({ epoch }) => epoch === epochAt(seq, at, task));
    return {
      task,
      status,
      why,
      attempt,
      seq,
      defaults: { model, thinking },
      url: urlOf(task),
      mark,
    };
  }

  /** The attempt's last word stands right before the task's end; a task may have gone on since. */
  function epochAt(seq: number, at: number, { id, attempts }: Task): number | undefined {
    const before = desk.events(seq - 2, 1)[0]?.what;
    const ended = before?.type === "attempt-ended" || before?.type === "attempt-lost";
    if (ended && before.task === id) return before.epoch;
    return attempts.findLast(({ assignedAt, acceptedAt }) =>
      assignedAt <= at && acceptedAt !== undefined
    )?.epoch;
  }

  function urlOf({ id, origin }: Task): string | undefined {
    const { channelId, messageId } = origin;
    if (channelId !== undefined && messageId !== undefined) {
      return messageUrl(guildId, channelId, messageId);
    }
    const { [id]: mirror } = memory.read().mirrors;
    const queue = parts.queueId();
    return mirror === undefined || queue === undefined
      ? undefined
      : messageUrl(guildId, queue, mirror);
  }

  /** What an earlier life posted without hearing so, or without remembering it. */
  async function begin(channel: Id, signal: AbortSignal): Promise<void> {
    const { told, guessed } = memory.read();
    const last = await lastTold({ desk, rest, channel, me: await self(signal), signal });
    const next = guessed === true ? last ?? recent(told) : Math.max(told, last ?? 0);
    const end = next === last ? pick(desk.events(next - 1, 1)[0]) : undefined;
    const task = end === undefined ? undefined : desk.state().tasks.get(end.task);
    // Whoever asked for it elsewhere may not have heard yet.
    const isOwed = task !== undefined && asideOf(task, channel) !== undefined && next > told;
    if (isOwed) return memory.write({ told: next - 1, guessed: undefined });
    if (next !== told || guessed === true) memory.write({ told: next, guessed: undefined });
  }

  /** A channel without our posts: of a pool that was on Discord before, what ended just now is still to be told. */
  function recent(told: number): number {
    const wasHere = [...desk.state().tasks.values()].some(({ origin }) =>
      origin.kind === "message" || origin.kind === "slash"
    );
    if (!wasHere) return told;
    const young = desk.events(0, Number.MAX_SAFE_INTEGER).find((event) =>
      event.at > parts.clock.now() - YOUNG_MS && pick(event) !== undefined
    );
    return young === undefined ? told : Math.min(told, young.seq - 1);
  }

  async function self(signal: AbortSignal): Promise<Id> {
    return parts.me() ?? (await rest.me(signal)).id;
  }

  async function post(
    channel: Id,
    due: Due,
    signal: AbortSignal,
    isAgain: boolean,
  ): Promise<void> {
    const facts = factsOf(due);
    if (facts === undefined) return;
    const key = `result/${due.seq}`;
    const { partly } = memory.read();
    const out = partly?.key === key
      ? partly.sent[0]!
      : (isAgain ? await find(resultView(facts, NOTHING), due, channel, signal) : undefined) ??
        await sendResult(channel, facts, signal);
    const elsewhere = asideOf(facts.task, channel);
    if (elsewhere === undefined) return;
    memory.write({ partly: { key, sent: [out] } });
    const url = messageUrl(guildId, channel, out);
    await aside(elsewhere, answerView(facts, url, facts.task.origin.messageId), signal);
    memory.write({ partly: undefined });
  }

  /** A nonce helps for some minutes only. */
  async function find(
    { content = "" }: Outgoing,
    { at, task }: Due,
    channel: Id,
    signal: AbortSignal,
  ): Promise<Id | undefined> {
    const me = await self(signal);
    const [head = ""] = content.split("\n");
    const begins = content.startsWith("**[") ? head : content;
    const found = await findPosted(begins, { rest, channel, me, since: at, signal });
    if (found !== undefined) parts.log("info", "A result was out already", { task });
    return found?.id;
  }

  async function sendResult(channel: Id, facts: ResultFacts, signal: AbortSignal): Promise<Id> {
    const delivery = await deliveryOf(facts.task.id, facts.attempt, parts);
    const view = resultView(facts, delivery);
    try {
      return (await rest.send(channel, view, signal)).id;
    } catch (error) {
      const isOurs = error instanceof DiscordError && delivery.files.length > 0 &&
        ["rejected", "forbidden"].includes(error.kind);
      if (!isOurs) throw error;
      parts.log("warn", "Discord does not take the files of a result", { error: error.message });
      const left = "Discord does not take the files; they are in the folder";
      return (await rest.send(channel, resultView(facts, { ...NOTHING, left }), signal)).id;
    }
  }

  /** Where it was asked for, when nobody would look there for it. */
  function asideOf({ origin: { channelId, sweepPath } }: Task, results: Id): Id | undefined {
    // The sweep's own channel has the answer, in the trial's thread.
    if (sweepPath !== undefined) return undefined;
    return channelId === results || channelId === parts.queueId() ? undefined : channelId;
  }

  /** A thread that is gone or closed keeps nothing back. */
  async function aside(channel: Id, message: Outgoing, signal: AbortSignal): Promise<void> {
    try {
      await rest.send(channel, message, signal);
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      if (error.code === UNKNOWN_MESSAGE && message.replyTo !== undefined) {
        const { replyTo: _, ...plain } = message;
        return await aside(channel, plain, signal);
      }
      if (!["missing", "forbidden", "rejected"].includes(error.kind)) throw error;
      parts.log("info", "Cannot answer where a task was asked for", { error: error.message });
    }
  }

  function digest(dues: readonly Due[]): { message: Outgoing; told: number } {
    const lines = ["📬 Tasks that ended while Discord was away; `herd task show ID` tells more:"];
    let told = 0;
    let size = lines[0]!.length;
    for (const due of dues) {
      const facts = factsOf(due);
      const line = facts === undefined ? "" : `- ${resultLine(facts)}`;
      if (told > 0 && size + line.length + 1 > ROOM) break;
      if (line !== "") lines.push(line);
      size += line.length + 1;
      told++;
    }
    const key = `digest/${dues[0]!.seq}-${dues[told - 1]!.seq}`;
    return { message: { content: lines.join("\n"), nonce: nonceOf(mark, key, 0) }, told };
  }

  return createPoolFeed<Due>({
    ...parts,
    name: "results",
    cursor: {
      read: () => memory.read().told,
      write: (seq) => memory.write({ told: seq, partly: undefined }),
    },
    pick,
    begin,
    isGuess: () => memory.read().guessed === true,
    post,
    async find(message, due, channel, signal) {
      return await find(message, due, channel, signal) !== undefined;
    },
    isOwn({ task: id }) {
      const task = desk.state().tasks.get(id);
      const results = memory.read().places.results?.id ?? "";
      return task !== undefined && asideOf(task, results) !== undefined;
    },
    digest,
    plain(due) {
      const facts = factsOf(due);
      return facts === undefined ? { content: "A result cannot be shown" } : plainResult(facts);
    },
  });
}
