import type { Clock } from "../base/clock.ts";
import type { PoolDiscord } from "../tasks/pool-config.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import type { Task } from "../tasks/task.ts";
import { DiscordError } from "./discord-error.ts";
import type { Id, Member, Message } from "./message.ts";
import { patience } from "./patience.ts";
import type { PoolAccess } from "./pool-access.ts";
import { UNKNOWN_MESSAGE } from "./pool-feed.ts";
import type { PoolMarks } from "./pool-marks.ts";
import type { PoolMemory } from "./pool-memory.ts";
import type { PoolSigns } from "./pool-signs.ts";
import { isUntouched } from "./pool-text.ts";
import { nonceOf } from "./post-view.ts";
import type { DiscordRest } from "./rest.ts";
import { ruleText } from "./safe-text.ts";
import { createSerial } from "./serial.ts";
import { timeOfId } from "./snowflake.ts";

export interface PoolIntakeParts {
  desk: Pick<PoolDesk, "submit" | "revise" | "cancel" | "state">;
  settings(): Pick<PoolDiscord, "bots">;
  rest: Pick<DiscordRest, "messages" | "message" | "member" | "send">;
  memory: PoolMemory;
  access: PoolAccess;
  marks: PoolMarks;
  signs: PoolSigns;
  clock: Clock;
  random(): number;
  guildId: Id;
  queueId(): Id | undefined;
  /** The bot's own user; undefined before it was connected once. */
  me(): Id | undefined;
  /** A person is told in private; false when that is not possible or was done of late. */
  tellPrivately(user: Id, why: string): Promise<boolean>;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** Messages of the queue's channel become tasks: stored first, 👀 after, oldest first, each once. */
export interface PoolIntake extends AsyncDisposable {
  hear(message: Message): void;
  edited(message: Message): void;
  deleted(id: Id): void;
  /** Reads what was said, changed and deleted meanwhile: after a start and after each gap. */
  catchUp(): void;
  /** Resolves when everything that was told so far was dealt with. */
  settled(): Promise<void>;
}

const PAGE = 100;
/** How long after somebody spoke the channel is read, for what the gateway may have lost. */
const REREAD_MS = 60_000;
/** How long somebody's roles hold, as long as they are not told anew. */
const KNOWN_MS = 60_000;
/** An edit of a message that is no task makes it one as long as it is so young. */
const YOUNG_MS = 60 * 60_000;
/** So many pages are read for messages that were changed or deleted while nobody heard it. */
const REVIEW_PAGES = 20;
/** Messages and replies of people; others are Discord's own words. */
const SPOKEN_TYPES = [0, 19];

export function createPoolIntake(parts: PoolIntakeParts): PoolIntake {
  const { desk, rest, memory, clock } = parts;
  const serial = createSerial();
  const stop = new AbortController();
  /** Turned down in this life, by version. */
  const turnedDown = new Set<string>();
  const gone = new Set<Id>();
  const members = new Map<Id, { member: Member; until: number }>();
  let hasGap = false;
  let toReview = false;
  let isWaiting = false;
  let isRetrying = false;
  let emptyTold = false;

  async function take(message: Message): Promise<void> {
    const me = parts.me();
    if (me === undefined) throw new Error("The bot does not know yet who it is");
    if (message.author.id === me || !SPOKEN_TYPES.includes(message.type)) return;
    if (gone.has(message.id)) return;
    const task = desk.state().tasks.get(taskId(message.id));
    if (task !== undefined) return revise(task, message);
    const version = versionOf(message);
    if (turnedDown.has(version) || memory.read().refused.includes(version)) return;
    const { author } = message;
    const isBot = author.bot || author.webhook;
    if (isBot && !parts.settings().bots.includes(author.id)) return;
    if (message.content === "" && message.attachments.length === 0) return tellIfEmpty();
    const member = isBot ? nobody(message) : await memberOf(message);
    if (member === undefined) return;
    const ruling = isBot ? { may: true } as const : await parts.access.rule(member, "submit");
    if (ruling.may) return submit(message, member, version);
    // Heard again when Discord answers.
    if (ruling.unsure) throw new Error(ruling.why);
    turnDown(version);
    refuse(message, member, ruling.why);
  }

  function submit(message: Message, { name }: Member, version: string): void {
    const { id, channelId, author } = message;
    const by = `discord:${author.id}`;
    const text = textOf(message);
    if (text === undefined) {
      turnDown(version);
      return answer(message, version, ["A task is a text; what is attached is not read"]);
    }
    const origin = { kind: "message", by, name, channelId, messageId: id } as const;
    const submitted = desk.submit(text, {}, origin, taskId(id));
    if ("refused" in submitted) {
      turnDown(version);
      return answer(message, version, submitted.refused);
    }
    const { task, isNew } = submitted;
    parts.audit("pool-task", { by, name, message: id, task: task.id, isNew });
    // A key may have made it another's task: that one keeps its own message.
    if (task.id !== taskId(id)) {
      parts.marks.set({ channelId, messageId: id, emoji: "👀" });
      turnDown(version);
      return;
    }
    remember(task.id, message.editedAt ?? 0);
    parts.signs.stored(task.id, { channelId, messageId: id });
  }

  /** An edit counts as long as nobody has the task; what has not changed is no edit. */
  function revise(task: Task, message: Message): void {
    const at = message.editedAt ?? 0;
    const { [task.id]: known } = memory.read().edits;
    if (!isUntouched(task) || known === at || (known === undefined && at === 0)) return;
    if (known !== undefined && at < known) return;
    remember(task.id, at);
    const text = textOf(message);
    const outcome = text === undefined
      ? { refused: ["A task is a text; the one before the edit still counts"] }
      : desk.revise(task.id, text, `discord:${message.author.id}`);
    if ("refused" in outcome) {
      const still = "The task stays as it was before the edit";
      return answer(message, versionOf(message), [...outcome.refused, still]);
    }
    if (!outcome.done) {
      parts.log("info", `Cannot change task "${task.id}"`, { why: outcome.reason });
      return;
    }
    parts.audit("pool-task-revised", { by: task.origin.by, message: message.id, task: task.id });
  }

  function cancel(task: Task): void {
    const outcome = desk.cancel(task.id, "its message was deleted", task.origin.by);
    if (!outcome.done) parts.log("info", `Cannot cancel "${task.id}"`, { why: outcome.reason });
    else parts.audit("pool-task-deleted", { by: task.origin.by, task: task.id });
  }

  function refuse(message: Message, { userId, name }: Member, why: string): void {
    const { channelId, id: messageId } = message;
    const text = message.content.slice(0, 200);
    parts.audit("refused", { by: `discord:${userId}`, name, message: messageId, text, why });
    parts.marks.set({ channelId, messageId, emoji: "🚫" });
    aside(parts.tellPrivately(userId, why));
  }

  /** Other people's tasks do not wait for what is said to one of them. */
  function aside(work: Promise<unknown>): void {
    void work.catch((error) =>
      parts.log("info", "Cannot say why a task is refused", { error: `${error}` })
    );
  }

  /** Should it not arrive, it is refused all the same, and the ❌ says so. */
  function answer({ channelId, id }: Message, version: string, why: readonly string[]): void {
    parts.marks.set({ channelId, messageId: id, emoji: "❌" });
    const lines = why.slice(0, 8).map((one) => `- ${ruleText(one.slice(0, 400))}.`);
    const content = `❌ That is not a task yet; edit it and it is taken:\n${lines.join("\n")}`
      .slice(0, 1_900);
    const nonce = nonceOf(memory.read().mark, `refused/${version}`, 0);
    aside(rest.send(channelId, { content, replyTo: id, nonce, silent: true }, stop.signal));
  }

  /** What is read later does not say whose roles are which; one look serves a page of one person. */
  async function memberOf({ member, author }: Message): Promise<Member | undefined> {
    if (member !== undefined) return member;
    const known = members.get(author.id);
    if (known !== undefined && known.until > clock.now()) return known.member;
    try {
      const { roles, name } = await rest.member(parts.guildId, author.id, stop.signal);
      const found = { userId: author.id, name, roles, permissions: undefined };
      if (members.size > 200) members.clear();
      members.set(author.id, { member: found, until: clock.now() + KNOWN_MS });
      return found;
    } catch (error) {
      // Who has left the server has no task here.
      if (error instanceof DiscordError && error.kind === "missing") return undefined;
      throw error;
    }
  }

  /** Discord strips what bots without the intent may not read; said once. */
  function tellIfEmpty(): void {
    if (emptyTold) return;
    emptyTold = true;
    parts.log(
      "warn",
      "A task came without its text: turn on MESSAGE CONTENT INTENT in the Developer Portal; " +
        "/task submit works without it",
    );
  }

  function turnDown(version: string): void {
    turnedDown.add(version);
    if (turnedDown.size > 1_000) turnedDown.delete(turnedDown.values().next().value!);
    memory.write({ refused: [...memory.read().refused, version].slice(-500) });
  }

  function remember(task: string, editedAt: number): void {
    const { tasks } = desk.state();
    const open = Object.entries(memory.read().edits)
      .filter(([id]) => isUntouched(tasks.get(id) ?? { status: "succeeded", epoch: 0 }));
    memory.write({ edits: { ...Object.fromEntries(open), [task]: editedAt } });
  }

  async function fill(): Promise<void> {
    for (let tries = 0; hasGap && !stop.signal.aborted; tries++) {
      try {
        await readOn();
        if (toReview) await review();
        toReview = false;
        hasGap = false;
      } catch (error) {
        if (!(error instanceof DiscordError)) throw error;
        if (error.kind === "missing" || error.kind === "forbidden") return;
        const wait = Math.max(error.retryAfterMs ?? 0, patience(tries, parts.random));
        await clock.sleep(wait, stop.signal).catch(() => {});
      }
    }
  }

  async function readOn(): Promise<void> {
    const channel = parts.queueId();
    const { seen } = memory.read();
    if (channel === undefined || seen === undefined) return;
    for (let after = seen;;) {
      const page = await rest.messages(channel, { after, limit: PAGE }, stop.signal);
      for (const message of page) {
        await take(message);
        after = message.id;
      }
      if (page.length > 0) markSeen(after);
      if (page.length < PAGE) return;
    }
  }

  function markSeen(id: Id): void {
    const refused = memory.read().refused.filter((one) =>
      BigInt(messageOf(one)) > BigInt(id) || isYoung(one)
    );
    memory.write({ seen: id, refused });
  }

  /** Discord's clock made the id; a minute or two do not matter here. */
  function isYoung(version: string): boolean {
    return clock.now() - timeOfId(messageOf(version)) < YOUNG_MS;
  }

  /** Waiting tasks and what was just refused, whose messages were changed or deleted while nobody told us. */
  async function review(): Promise<void> {
    const channel = parts.queueId();
    const refused = memory.read().refused.filter(isYoung).map(messageOf);
    const waiting = new Map<Id, string | undefined>([
      ...refused.map((id) => [id, undefined] as const),
      ...[...desk.state().tasks.values()].flatMap((task) => {
        const { kind, channelId, messageId } = task.origin;
        const isOurs = kind === "message" && channelId === channel && messageId !== undefined;
        return isOurs && isUntouched(task) ? [[messageId, task.id] as const] : [];
      }),
    ]);
    const [oldest] = [...waiting.keys()].sort((a, b) => BigInt(a) < BigInt(b) ? -1 : 1);
    if (channel === undefined || oldest === undefined) return;
    let after = `${BigInt(oldest) - 1n}`;
    for (let pages = 0; pages < REVIEW_PAGES && waiting.size > 0; pages++) {
      const page = await rest.messages(channel, { after, limit: PAGE }, stop.signal);
      for (const message of page) {
        if (!waiting.delete(message.id)) continue;
        await take(message);
      }
      const isLast = page.length < PAGE;
      after = page.at(-1)?.id ?? after;
      for (const [message, id] of waiting) {
        if (!isLast && BigInt(message) > BigInt(after)) continue;
        waiting.delete(message);
        if (id !== undefined) await confirmGone(channel, message, id);
      }
      if (isLast) return;
    }
  }

  /** A list may be stale; that one message is asked for by itself. */
  async function confirmGone(channel: Id, message: Id, id: string): Promise<void> {
    try {
      const found = await rest.message(channel, message, stop.signal);
      const task = desk.state().tasks.get(id);
      if (task !== undefined) revise(task, found);
    } catch (error) {
      if (!(error instanceof DiscordError) || error.code !== UNKNOWN_MESSAGE) throw error;
      const task = desk.state().tasks.get(id);
      if (task !== undefined && isUntouched(task)) cancel(task);
    }
  }

  function guarded(act: () => Promise<void>): void {
    void serial(async () => {
      if (stop.signal.aborted) return;
      try {
        await act();
      } catch (error) {
        if (stop.signal.aborted) return;
        // What could not be stored is heard again when the channel is read the next time.
        hasGap = true;
        parts.log("warn", "Cannot take a task in; it is tried again", { error: `${error}` });
        void again();
      }
    });
  }

  async function again(): Promise<void> {
    if (isRetrying) return;
    isRetrying = true;
    await clock.sleep(patience(5, parts.random), stop.signal).catch(() => {});
    isRetrying = false;
    guarded(fill);
  }

  /** What came before a message may have been lost on the way: only a reading moves the mark. */
  async function rereadLater(): Promise<void> {
    if (isWaiting) return;
    isWaiting = true;
    try {
      await clock.sleep(REREAD_MS, stop.signal);
      hasGap = true;
      toReview = true;
      guarded(fill);
    } catch {
      // The channel is closed.
    }
    isWaiting = false;
  }

  return {
    hear(message) {
      guarded(async () => {
        if (hasGap) await fill();
        await take(message);
      });
      // Our own posts are no sign that somebody speaks.
      if (message.author.id !== parts.me()) void rereadLater();
    },
    edited(message) {
      guarded(async () => {
        const isKnown = desk.state().tasks.has(taskId(message.id));
        const isEdit = message.editedAt !== undefined;
        if (!isKnown && !(isEdit && clock.now() - message.at < YOUNG_MS)) return;
        await take(message);
      });
    },
    deleted(id) {
      guarded(() => {
        gone.add(id);
        if (gone.size > 500) gone.delete(gone.values().next().value!);
        const task = desk.state().tasks.get(taskId(id));
        if (task !== undefined && isUntouched(task)) cancel(task);
        return Promise.resolve();
      });
    },
    catchUp() {
      hasGap = true;
      toReview = true;
      guarded(fill);
    },
    settled: () => serial(() => Promise.resolve()),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await serial(() => Promise.resolve());
    },
  };
}

function taskId(message: Id): string {
  return `discord-${message}`;
}

/** Of a version. */
function messageOf(version: string): Id {
  return version.split("@")[0]!;
}

function versionOf({ id, editedAt }: Message): string {
  return editedAt === undefined ? id : `${id}@${editedAt}`;
}

/** A bot of the list has no rights to be looked up. */
function nobody({ author }: Message): Member {
  return { userId: author.id, name: author.name, roles: [], permissions: undefined };
}

/** Files are named to the agent and not read. Undefined for no text at all. */
function textOf({ content, attachments }: Message): string | undefined {
  if (content.trim() === "") return undefined;
  if (attachments.length === 0) return content;
  const names = attachments.map(({ name }) => JSON.stringify(name.slice(0, 100))).join(", ");
  return `${content}\n(attached and not read: ${names})`;
}
