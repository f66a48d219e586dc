import type { Desk, Notice } from "../actions/desk.ts";
import type { Clock } from "../base/clock.ts";
import type { DiscordSettings } from "../sweep/config.ts";
import type { Access, Right, Ruling } from "./access.ts";
import { addressed } from "./addressing.ts";
import { createChannelHome } from "./channel-home.ts";
import { createAccess } from "./create-access.ts";
import { createInteractions } from "./create-interactions.ts";
import { createDashboard } from "./dashboard.ts";
import { dashboardFacts } from "./dashboard-facts.ts";
import { dashboardView, offlineView } from "./dashboard-view.ts";
import { digestOf } from "./digest-view.ts";
import { DiscordError } from "./discord-error.ts";
import type { DrawPlot } from "./draw-plot.ts";
import { createFeed } from "./feed.ts";
import type { Due } from "./feed.ts";
import type { GatewayEvent } from "./gateway-event.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { createInbox } from "./inbox.ts";
import type { DiscordLink } from "./link.ts";
import type { ChannelMemory } from "./memory.ts";
import type { Id, Message, Outgoing, OutgoingFile } from "./message.ts";
import { nonceOf, streamView, viewOfLog, viewOfSaid } from "./post-view.ts";
import { createPrivateWord } from "./private-word.ts";
import { createStream } from "./stream.ts";
import { agentButton } from "./trial-help.ts";
import type { GiveCode } from "./login-form.ts";
import type { TrialHelp } from "./trial-help.ts";
import { createTrialThreads } from "./trial-threads.ts";
import { createTyping } from "./typing.ts";
import { createUserAccess } from "./user-access.ts";

export interface SweepChannelParts {
  desk: Desk;
  /** As the YAML says now. */
  settings(): DiscordSettings;
  guildId: Id;
  link: DiscordLink;
  memory: ChannelMemory;
  clock: Clock;
  random(): number;
  /** Whether another sweep of this daemon lives there. */
  isTaken(channelId: Id): boolean;
  /** Whether a bot converses in a thread of this channel: what is said there is not the sweep's. */
  converses(threadId: Id): boolean;
  draw: DrawPlot;
  audit(event: string, fields: Readonly<Record<string, unknown>>): void;
  log(level: "info" | "warn", message: string, facts?: Readonly<Record<string, unknown>>): void;
  /** A sentence for people about what does not work; undefined when all does. */
  onTrouble(trouble: string | undefined): void;
  /** The pool's agents, where this daemon may have some. */
  help?: TrialHelp | undefined;
  giveCode?: GiveCode | undefined;
}

/** A sweep's channel: everything between its desk and Discord. */
export interface SweepChannel extends AsyncDisposable {
  channelId(): Id | undefined;
  channelName(): string | undefined;
  /** Where it was in an earlier life, as long as it is not known where it is now. */
  lastChannelId(): Id | undefined;
  /** The trial whose thread it is. */
  trialOf(threadId: Id): number | undefined;
  /** What somebody may do in this channel who speaks elsewhere. */
  mayUser(userId: Id, right: Right): Promise<Ruling>;
  /** Posts that are not out yet. */
  waiting(): number;
  start(): void;
  handle(event: GatewayEvent): void;
  /** What is left to say is said, for at most `ms`, and the dashboard says why it is offline. */
  end(why: string, ms: number): Promise<void>;
}

export function createSweepChannel(parts: SweepChannelParts): SweepChannel {
  const { desk, link, memory, clock, random, log, guildId } = parts;
  const { rest } = link;
  const stop = new AbortController();
  let last: Id | undefined;
  let self: { id: Id; name: string } | undefined;

  const home = createChannelHome({
    sweep: desk.info().sweep,
    mark: memory.read().mark,
    guildId,
    settings: parts.settings,
    rest,
    memory,
    isTaken: parts.isTaken,
    onFound: catchUp,
  });

  const access: Access & { forget(): void } = createAccess({
    settings: parts.settings,
    guildId,
    channelId: home.id,
    rest,
    clock,
  });

  /** Known from the first connection on, also while there is none. */
  function me(): { id: Id; name: string } | undefined {
    const state = link.state();
    if (state.phase === "connected") self = state.me;
    return self;
  }

  /** Before the bot knows who it is, nothing is addressed to it: "ready" comes back to this. */
  function catchUp(): void {
    if (me() !== undefined) inbox.catchUp();
  }

  const stream = createStream({ rest, memory, clock, channelId: home.id, view: streamView, log });
  const typing = createTyping({ rest, channelId: home.id, clock });
  const heartbeat = createHeartbeat({
    rest,
    memory,
    channelId: home.id,
    view: (text) =>
      withoutNonce(
        viewOfSaid({ key: "heartbeat", kind: "heartbeat", text }, {
          sweep: memory.read().mark,
        })[0]!,
      ),
    log,
  });

  const threads = createTrialThreads({
    desk,
    rest,
    memory,
    clock,
    channelId: home.id,
    viewLog: viewOfLog,
    curve: curveOf,
    offer(trial) {
      const isFailed = parts.help?.isOpen() === true && desk.trial(trial)?.status === "failed";
      const button = isFailed ? agentButton(trial, memory.read().mark) : undefined;
      return button === undefined ? [] : [button];
    },
    log,
  });

  const feed = createFeed({
    desk,
    rest,
    memory,
    clock,
    random,
    channel: home.find,
    onLost: lost,
    view,
    digest: (dues) => digestOf(dues, { now: clock.now(), sweep: memory.read().mark, view }),
    async threadOf({ said }) {
      if (said.task !== undefined) return await threadOfTask(said.task.trial);
      const thread = memory.read().asides[askedIn(said.replyTo) ?? ""];
      if (thread !== undefined) stream.drop();
      return thread;
    },
    takeStream: ({ said }) => said.kind === "agent" ? stream.take() : Promise.resolve(undefined),
    onPosted: posted,
    onTrouble: parts.onTrouble,
    log,
  });

  const dashboard = createDashboard({
    rest,
    memory,
    clock,
    random,
    channel: home.find,
    onLost: lost,
    me: async (signal) => me()?.id ?? (await rest.me(signal)).id,
    refreshSeconds: () => parts.settings().dashboardRefreshSeconds,
    view: (page) => dashboardView(dashboardFacts(desk, page, clock.now()), memory.read().mark),
    offline: (why) => offlineView(dashboardFacts(desk, 0, clock.now()), why),
    nonce: () => nonceOf(memory.read().mark, `dashboard/${clock.now()}`, 0),
    log,
  });

  const inbox = createInbox({
    desk,
    rest,
    memory,
    access,
    clock,
    random,
    guildId,
    channelId: home.id,
    threads: () => Object.values(memory.read().threads).filter((one) => !parts.converses(one)),
    addressed(message) {
      const known = me();
      return known && addressed(message, { id: known.id, names: [known.name] });
    },
    tellPrivately: createPrivateWord({ rest, clock, sweep: desk.info().sweep, log }),
    audit: parts.audit,
    log,
  });

  const interactions = createInteractions({
    desk,
    sweep: memory.read().mark,
    access,
    rest,
    draw: parts.draw,
    clock,
    audit: parts.audit,
    log,
    onShow: (page) => dashboard.show(page),
    openThread: (trial, from) => threads.open(trial, from),
    help: parts.help,
    giveCode: parts.giveCode,
  });

  /** Where there can be no thread, the channel hears it. */
  async function threadOfTask(trial: number): Promise<Id | undefined> {
    try {
      return await threads.find(trial);
    } catch (error) {
      const isNever = error instanceof DiscordError &&
        ["missing", "forbidden", "rejected"].includes(error.kind);
      if (!isNever) throw error;
      return undefined;
    }
  }

  function view(due: Due) {
    const { replyTo } = due.said;
    const id = askedIn(replyTo);
    const isQuestion = desk.info().question === due.said.text;
    const how = isQuestion ? `\n-# Reply to this, or begin with ${self?.name ?? "my name"}:` : "";
    return viewOfSaid({ ...due.said, text: `${due.said.text}${how}` }, {
      sweep: memory.read().mark,
      ...(id === undefined ? {} : { replyTo: id }),
      hasAgents: parts.help?.isOpen() === true,
    });
  }

  function posted({ said }: Due, sent: readonly Id[]): void {
    last = sent.at(-1) ?? last;
    const [only, ...others] = said.trials ?? [];
    const from = sent[0];
    if (only?.[1] === "failed" && others.length === 0 && from !== undefined) {
      threads.atFailure(only[0], from);
    }
    if (said.confirmation !== undefined && from !== undefined) {
      memory.write({
        confirmations: { ...memory.read().confirmations, [said.confirmation]: from },
      });
    }
  }

  /** Posts and dashboard go on in whatever `find` finds next. */
  function lost(): void {
    home.lose();
    access.forget();
  }

  async function curveOf(trial: number): Promise<OutgoingFile | undefined> {
    const name = desk.metricNames(trial)[0]?.name;
    if (name === undefined) return undefined;
    const drawn = await parts.draw({
      kind: "curves",
      metric: name,
      trials: [trial],
      smooth: 0,
      theme: "dark",
    }, stop.signal);
    if ("cannot" in drawn) return undefined;
    return { name: `trial-${trial}.png`, bytes: drawn.png, contentType: "image/png" };
  }

  function notice({ key, kind, text }: Notice): void {
    if (kind === "typing") {
      if (text === "") {
        typing.end();
        stream.end();
      } else typing.begin();
    } else if (kind === "stream") stream.write(text, undefined);
    else if (key === "heartbeat") void heartbeat.beat(text, last).catch(() => {});
    else if (key === "standing") dashboard.wake();
  }

  function handle(event: GatewayEvent): void {
    switch (event.type) {
      case "ready":
        self = event.me;
        access.forget();
        catchUp();
        feed.wake();
        return dashboard.wake();
      case "resumed":
        access.forget();
        catchUp();
        feed.wake();
        return dashboard.wake();
      case "message":
        return hear(event.message);
      case "interaction":
        void interactions.handle(event.interaction);
        return;
      case "channel-changed":
        if (event.channel.id === home.id()) {
          home.rename(event.channel.name);
          access.forget();
          catchUp();
        }
        return;
      case "channel-deleted":
        if (event.id === home.id()) lost();
        return;
      // What was said while the channel could not be seen is in it now.
      case "permissions-changed":
      case "guild-here":
        access.forget();
        catchUp();
        feed.wake();
        return dashboard.wake();
      default:
    }
  }

  function hear(message: Message): void {
    if (message.channelId === home.id()) last = message.id;
    else if (threads.trialOf(message.channelId) === undefined) return;
    else if (parts.converses(message.channelId)) return;
    inbox.hear(message);
  }

  const endNotices = desk.onNotice(notice);

  /** Of an old sweep's history only this life's part is news. */
  function beginAt(): void {
    const { delivered, channelId } = memory.read();
    if (delivered > 0 || channelId !== undefined) return;
    const events = desk.events(0, Number.MAX_SAFE_INTEGER);
    const start = events.findLast(({ what }) => what.type === "monitor-started");
    memory.write({ delivered: (start?.seq ?? (events.at(-1)?.seq ?? 0) + 1) - 1 });
  }

  return {
    channelId: home.id,
    channelName: home.name,
    lastChannelId: () => home.id() ?? memory.read().channelId,
    trialOf: threads.trialOf,
    mayUser: createUserAccess({ access, rest, guildId, clock }),
    waiting: feed.waiting,
    start() {
      beginAt();
      feed.start();
      dashboard.start();
    },
    handle,
    async end(why, ms) {
      endNotices();
      typing.end();
      await feed.drained(ms);
      await dashboard.goOffline(why, AbortSignal.timeout(Math.max(1_000, ms)));
    },
    async [Symbol.asyncDispose]() {
      endNotices();
      stop.abort();
      typing.end();
      for (const part of [feed, dashboard, inbox, stream]) await part[Symbol.asyncDispose]();
    },
  };
}

/** The message of Discord that a post answers. */
function askedIn(replyTo: string | undefined): Id | undefined {
  return /^discord:(\d+)$/.exec(replyTo ?? "")?.[1];
}

/** Each beat is another message. */
function withoutNonce({ nonce: _, ...message }: Outgoing): Outgoing {
  return message;
}
