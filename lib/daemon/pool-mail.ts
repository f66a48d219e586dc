import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { createMailbox } from "../discord/create-mailbox.ts";
import type { DiscordMailbox } from "../discord/create-mailbox.ts";
import { DiscordError } from "../discord/discord-error.ts";
import type { FetchAttachment } from "../discord/fetch-attachment.ts";
import type { GatewayEvent } from "../discord/gateway-event.ts";
import type { DiscordLink } from "../discord/link.ts";
import { findLetter, writeLetter } from "../discord/mailbox-letter.ts";
import type { Id, Message } from "../discord/message.ts";
import { codeText, isProof, newMailboxCode, readEnvelope } from "../tasks/mailbox-envelope.ts";
import type { MailboxCode } from "../tasks/mailbox-envelope.ts";
import type { PoolDesk } from "../tasks/pool-desk.ts";
import { createMailboxDoor } from "../tasks/via-mailbox-door.ts";
import type { MailboxDoor } from "../tasks/via-mailbox-door.ts";
import { keepFiles } from "./mail-files.ts";
import type { PoolMailDesk } from "./open-pool.ts";

export interface PoolMailParts {
  desk: PoolDesk;
  mail: PoolMailDesk;
  link: DiscordLink;
  fetchFile: FetchAttachment;
  /** Where the cards of workers are posted; undefined until it is found. */
  workersChannel(): Id | undefined;
  /** Where the files of an attempt belong. */
  folderOf(task: string, epoch: number): string;
  clock: Clock;
  log: Log;
}

/** The mailboxes of the workers that reach nothing but Discord: one thread each. */
export interface PoolMail extends AsyncDisposable {
  start(): void;
  handle(event: GatewayEvent): void;
}

interface Pending {
  code: MailboxCode;
  worker: string;
  labels: readonly string[];
  until: number;
  by: string;
  /** Everything in its mailbox up to there was read. */
  read: Id | undefined;
}

interface Open {
  channel: Id;
  bot: Id;
  mailbox: DiscordMailbox;
  door: MailboxDoor;
}

const CODE_MINUTES = 60;
/** Who says hello is heard by an event; one that was lost is found so soon. */
const PENDING_LOOK_MS = 60_000;
const LOOK_MS = 5_000;
const THREAD_EXISTS = 160004;
const BAD_NAME = "letters, digits, dots, dashes and underscores are wanted, at most 63";

export function createPoolMail(parts: PoolMailParts): PoolMail {
  const { desk, mail, link, clock, log } = parts;
  const { rest } = link;
  const over = new AbortController();
  const open = new Map<string, Open>();
  const pending = new Map<string, Pending>();
  const ending = new Set<Promise<void>>();
  let me: Id | undefined;
  let working: Promise<void> | undefined;
  let lookedAt = clock.now();
  const stopListening = desk.onChange(sync);
  const stopInviting = mail.onInvite(invite);

  function self(): Id | undefined {
    const state = link.state();
    if (state.phase === "connected") me = state.me.id;
    return me;
  }

  /** A door for each worker that has a mailbox, and none for others. */
  function sync(): void {
    const own = self();
    if (over.signal.aborted || own === undefined) return;
    const workers = desk.state().workers;
    for (const [name, { channel, bot, door }] of open) {
      const box = workers.get(name)?.mailbox;
      if (box?.channel === channel && box.bot === bot) continue;
      // What it has in hand is ended by itself, or given up when it is certainly silent.
      if (box === undefined && holdsWork(name)) continue;
      open.delete(name);
      const done = door.retire().finally(() => ending.delete(done));
      ending.add(done);
    }
    for (const { name, via, mailbox } of workers.values()) {
      if (via !== "discord" || mailbox === undefined || open.has(name)) continue;
      const made = openDoor(name, mailbox, own);
      open.set(name, made);
      made.door.start();
    }
  }

  function holdsWork(worker: string): boolean {
    return [...desk.state().tasks.values()].some(({ status, attempts }) =>
      (status === "assigned" || status === "running") && attempts.at(-1)?.worker === worker
    );
  }

  function openDoor(worker: string, { channel, bot }: { channel: Id; bot: Id }, own: Id): Open {
    const mailbox = createMailbox({
      rest,
      channel,
      me: own,
      peer: bot,
      clock,
      fetchFile: parts.fetchFile,
      isLive: () => link.state().phase === "connected",
      goesOn: true,
    });
    const door = createMailboxDoor({
      worker,
      mailbox,
      desk: {
        state: desk.state,
        onChange: desk.onChange,
        ordersFor: desk.ordersFor,
        exchange: mail.exchange,
        looked: mail.looked,
      },
      clock,
      keep({ task, epoch }, { attempts }, files) {
        const told = attempts.find((one) => one.task === task && one.epoch === epoch)?.report;
        if (told !== undefined) keepFiles(parts.folderOf(task, epoch), told, files);
        return Promise.resolve();
      },
      onTrouble: (trouble) => void tellPeople(worker, trouble),
      log,
    });
    return { channel, bot, mailbox, door };
  }

  /** What only people can mend is said to them, once. */
  async function tellPeople(worker: string, trouble: string | undefined): Promise<void> {
    const channel = parts.workersChannel();
    if (trouble === undefined || !trouble.includes("enrol") || channel === undefined) return;
    try {
      const content = `⚠️ The mailbox of worker \`${worker}\`: ${trouble.replaceAll("`", "'")}`;
      await rest.send(channel, { content: content.slice(0, 1_900) }, over.signal);
    } catch (error) {
      log.write("info", `Cannot tell of a mailbox: ${(error as Error).message}`);
    }
  }

  async function invite(
    { name, labels }: { name: string; labels: readonly string[] },
    by: string,
  ): Promise<{ code: string; minutes: number } | { refused: string }> {
    if (!/^[a-z0-9][a-z0-9._-]{0,62}$/i.test(name)) {
      return { refused: `Cannot call a worker "${name.slice(0, 80)}": ${BAD_NAME}` };
    }
    const coordinator = self();
    const home = parts.workersChannel();
    if (coordinator === undefined || home === undefined) {
      return { refused: "Cannot open a mailbox: the pool's bot is not connected to Discord yet" };
    }
    try {
      const channel = await usable(name) ?? await newMailbox(home, name);
      const code = newMailboxCode({ channel, coordinator });
      const until = clock.now() + CODE_MINUTES * 60_000;
      // A newer code voids the one before.
      pending.set(channel, { code, worker: name, labels, until, by, read: undefined });
      return { code: codeText(code), minutes: CODE_MINUTES };
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      return { refused: error.message };
    }
  }

  /** Threads are scarce: the one that the worker has, or was to get, is taken as long as it works. */
  async function usable(worker: string): Promise<Id | undefined> {
    const waiting = [...pending.values()].find((one) => one.worker === worker)?.code.channel;
    const channel = desk.state().workers.get(worker)?.mailbox?.channel ?? waiting;
    if (channel === undefined) return undefined;
    try {
      // A post is the only proof that it is neither deleted nor locked.
      await rest.send(channel, { content: "A new code was asked for.", silent: true }, over.signal);
      return channel;
    } catch (error) {
      if (error instanceof DiscordError && error.kind !== "unreachable") return undefined;
      throw error;
    }
  }

  async function newMailbox(home: Id, worker: string): Promise<Id> {
    const content =
      `📬 Worker \`${worker}\`: its mailbox is the thread of this message. Only its ` +
      "own bot and herd's are heeded there.";
    const card = await rest.send(home, { content, silent: true }, over.signal);
    const name = `mailbox ${worker}`.slice(0, 100);
    try {
      const thread = { name, from: card.id, archiveMinutes: 10080 } as const;
      return (await rest.startThread(home, thread, over.signal)).id;
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      const unclear = error.kind === "unreachable" || error.code === THREAD_EXISTS;
      if (!unclear) throw error;
      // A message has one thread, and that has its id: nobody else can have made it.
      return (await rest.channel(card.id, over.signal)).id;
    }
  }

  /** A bot that proves that it knows the code gets the mailbox, and the code is worth nothing more. */
  async function hello(message: Message): Promise<void> {
    const waits = pending.get(message.channelId);
    const { author } = message;
    if (waits === undefined || !author.bot || author.webhook || author.id === me) return;
    const found = findLetter(message);
    const said = readEnvelope(found && "text" in found ? found.text : undefined)?.hello;
    if (said === undefined) return;
    if (clock.now() > waits.until || !isProof(waits.code, author.id, said.proof)) {
      log.write("warn", "Somebody said hello in a mailbox without a code that counts", {
        worker: waits.worker,
        user: author.id,
      });
      return;
    }
    const { worker, labels, by, code: { channel } } = waits;
    const mailbox = { channel, bot: author.id };
    pending.delete(channel);
    mail.enrol({ name: worker, labels, mailbox }, by);
    log.write("info", `Worker "${worker}" is enrolled over Discord`, { bot: author.id });
    sync();
    await rest.send(
      channel,
      {
        ...writeLetter({
          line: `WELCOME ${worker}`,
          json: { v: 1, welcome: { worker, bot: author.id } },
          to: author.id,
          mark: `welcome${author.id}`.slice(0, 25),
        }),
      },
      over.signal,
    );
  }

  async function lookForHello(): Promise<void> {
    for (const [channel, waits] of pending) {
      if (clock.now() > waits.until) {
        pending.delete(channel);
        continue;
      }
      const query = waits.read === undefined ? { limit: 50 } : { after: waits.read, limit: 100 };
      const messages = await rest.messages(channel, query, over.signal);
      waits.read = messages.at(-1)?.id ?? waits.read;
      for (const message of messages) await hello(message);
    }
  }

  async function work(): Promise<void> {
    while (!over.signal.aborted) {
      sync();
      if (pending.size > 0 && clock.now() - lookedAt >= PENDING_LOOK_MS) {
        lookedAt = clock.now();
        await lookForHello().catch(passOver);
      }
      await clock.sleep(LOOK_MS, over.signal).catch(() => {});
    }
  }

  function passOver(error: unknown): void {
    if (over.signal.aborted) return;
    log.write("warn", `Cannot read a mailbox: ${(error as Error).message}`);
  }

  return {
    start() {
      working ??= work();
    },
    handle(event) {
      switch (event.type) {
        case "message":
        case "message-edited":
          if (pending.has(event.message.channelId)) void hello(event.message).catch(passOver);
          for (const { channel, mailbox } of open.values()) {
            if (channel === event.message.channelId) mailbox.hear(event.message);
          }
          return;
        case "ready":
        case "resumed":
          sync();
          for (const { door } of open.values()) door.wake();
          return;
        case "channel-deleted":
          for (const { channel, door } of open.values()) if (channel === event.id) door.wake();
          return;
        default:
      }
    },
    async [Symbol.asyncDispose]() {
      stopInviting();
      stopListening();
      over.abort(new Error("The pool's mailboxes are being closed"));
      await Promise.all([...open.values()].map(({ door }) => door[Symbol.asyncDispose]()));
      await Promise.all(ending);
      await working;
    },
  };
}
