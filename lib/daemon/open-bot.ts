import { mkdirSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { RefusedError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { type Broker, createBroker } from "../chat/broker.ts";
import type { BotConfig } from "../chat/broker-config.ts";
import type { ChatHappening } from "../chat/chat-event.ts";
import { type ChatState, type Conversation } from "../chat/chat-state.ts";
import { createPermissions } from "../chat/permissions.ts";
import { createSessions, type Sessions } from "../chat/sessions.ts";
import { createWaits } from "../chat/create-waits.ts";
import type { ScalePicture } from "../chat/take-attachment.ts";
import { threadTitle } from "../chat/thread-title.ts";
import type { TurnFailure } from "../chat/turn.ts";
import { dayOf, usdOn } from "../chat/usage.ts";
import { createBrokerHistory } from "../discord/broker-history.ts";
import { createBrokerPlaces } from "../discord/broker-places.ts";
import { createBrokerRoles } from "../discord/broker-roles.ts";
import { createBrokerSelf } from "../discord/broker-self.ts";
import { createBrokerThreads } from "../discord/broker-threads.ts";
import { createBrokerVoice } from "../discord/broker-voice.ts";
import { createWakePoster } from "../discord/wake-poster.ts";
import { type BrokerSurface, createBrokerSurface } from "../discord/create-broker-surface.ts";
import type { DiscordLink } from "../discord/link.ts";
import { openBrokerMemory } from "../store/broker-memory.ts";
import { openJournal } from "../store/journal.ts";
import { acquireLease, STALE_MS } from "../store/lease.ts";
import { describeHolder } from "../store/lease-holder.ts";
import type { Event } from "../sweep/event.ts";
import type { WrapSandbox } from "../tasks/wrap-sandbox.ts";
import { endLeftOvers } from "../backends/end-marked.ts";
import { agentBasis } from "./agent-basis.ts";
import { createAgentLog } from "./agent-log.ts";
import { createBotAgents, programOf } from "./bot-agents.ts";
import { type BotDesk, createBotDesk } from "./bot-desk.ts";
import { createBotBlocks } from "./bot-blocks.ts";
import { type BotFolder, botFolder } from "./bot-folders.ts";
import { botInstructions, rolesIn } from "./bot-instructions.ts";
import { createBotOutbox } from "./bot-outbox.ts";
import { createBotTranscripts } from "./bot-transcripts.ts";
import { createConversationTools } from "./conversation-tools.ts";
import type { OfferTools } from "./offer-tools.ts";
import type { SweepAt } from "./sweep-at.ts";
import type { WaitSubjects } from "./wait-subjects.ts";
import type { BotPlace } from "./broker-place.ts";
import type { BrokerSettings } from "./broker-settings.ts";
import { CHAT_FOLD } from "./chat-fold.ts";
import { appendAudit } from "./pool-audit.ts";

export interface OpenBotParts {
  place: BotPlace;
  settings(): BrokerSettings;
  config(): BotConfig;
  link: DiscordLink;
  clock: Clock;
  log: Log;
  random(): number;
  wrap: WrapSandbox;
  scale: ScalePicture;
  fetch: typeof fetch;
  origins: readonly string[];
  siblings(): readonly { id: string; name: string }[];
  isSweeps(channelId: string): boolean;
  sweepAt(channelId: string): SweepAt | undefined;
  subjects: WaitSubjects;
  offer: OfferTools["offer"];
  /** Relative paths of the configuration begin there. */
  home: string;
}

/** A bot that converses: all that it knows is in its journal, of which it is the only writer. */
export interface OpenBot extends AsyncDisposable {
  readonly name: string;
  readonly broker: Broker;
  readonly sessions: Sessions;
  readonly surface: BrokerSurface;
  readonly desk: BotDesk;
  state(): ChatState;
  me(): { id: string; name: string } | undefined;
  /** Whether somebody is owed an answer. */
  isBusy(): boolean;
  /** What agents wait for is looked at, as something of it is about to go. */
  look(): void;
  /** Takes up what an earlier life left. */
  start(): void;
}

/** Longer than a holder that is gone, and not seen to be, holds on. */
const LEASE_WAIT_MS = STALE_MS + 30_000;
const ALIVE_WAIT_MS = 20_000;
/** Without Discord turns go on after so long all the same; their answers are shown when it is back. */
const REVIEW_MS = 10_000;

/** Throws RefusedError when another process has this bot. */
export async function openBot(parts: OpenBotParts): Promise<OpenBot> {
  const { place, config, clock, link } = parts;
  for (const folder of [place.root, place.sessions, place.workspaces]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const { name } = config();
  const lease = await acquireLease({
    dir: place.lease,
    clock,
    waitMs: LEASE_WAIT_MS,
    aliveMs: ALIVE_WAIT_MS,
    purpose: "broker",
  });
  if ("heldBy" in lease) {
    throw new RefusedError(
      `Cannot open the bot "${name}": it is open in ${describeHolder(lease.heldBy)}`,
    );
  }
  const log = (level: "info" | "warn" | "error", message: string, facts = {}) =>
    parts.log.write(level, message, { part: "broker", bot: name, ...facts });
  const journal = openJournal({
    path: place.journal,
    snapshot: place.snapshot,
    fold: CHAT_FOLD,
    clock,
  });
  journal.refresh();
  for (const { message } of journal.notices) log("warn", message, { path: place.journal });
  const state = () => journal.state;
  const find = (id: string) => journal.state.conversations.get(id);
  const memory = openBrokerMemory({
    path: place.discord,
    onProblem: (message, error) => log("warn", message, { error: `${error}` }),
  });
  // The mark must be the same in each life.
  memory.write({});
  const { mark } = memory.read();
  await endLeftOvers(mark);
  const stop = new AbortController();
  const audit = (event: string, fields: Readonly<Record<string, unknown>>) =>
    appendAudit(place.audit, clock.now(), event, fields);
  const { rest } = link;
  const self = createBrokerSelf(link.state());
  const places = createBrokerPlaces(rest);
  const roles = createBrokerRoles({ rest, clock, log });
  const voice = createBrokerVoice({ rest, mark: () => mark, signal: stop.signal, log });
  const history = createBrokerHistory({ rest, now: clock.now, log });
  const transcripts = createBotTranscripts(place.sessions);
  const folders = new Map<string, Promise<BotFolder>>();

  function folderOf(one: Conversation): Promise<BotFolder> {
    const { projects, workspace } = config();
    const key = JSON.stringify([one.id, projects[one.place.channelId], workspace]);
    const known = folders.get(key);
    if (known !== undefined) return known;
    const found = botFolder(one, { projects, workspace }, place).then((folder) => {
      if ("refused" in folder) throw new RefusedError(folder.refused);
      return folder;
    });
    folders.set(key, found);
    // What was wrong may be mended by the next turn.
    found.catch(() => folders.delete(key));
    return found;
  }
  const filesOf = async (one: Conversation) => (await folderOf(one)).files;

  const permissions = createPermissions({
    rules: () => config().permissions,
    clock,
    onAsk: (conversation, request, answered) => broker.asking(conversation, request, answered),
    granted: (conversation) => find(conversation)?.grants ?? [],
    grant: (conversation, grant) =>
      void append([{ type: "permission-granted", conversation, grant }], grant.by),
    audit,
  });
  const waits = createWaits({
    ...{ state, clock, audit, log, me: () => self.now()?.id, rules: () => config().rules },
    append: (whats, by) => append(whats, by),
    broker: { accept: (arrival, conversation) => broker.accept(arrival, conversation) },
    watch: parts.subjects,
    post: createWakePoster({
      rest,
      mark: () => mark,
      me: () => self.now()?.id,
      now: clock.now,
    }),
  });
  const tools = createConversationTools({
    ...{ name, find, waits, clock, audit, sweepAt: parts.sweepAt, subjects: parts.subjects },
    me: () => self.now()?.id,
  });
  /** By conversation, the sweep whose tools its live agent was given. */
  const given = new Map<string, string | undefined>();

  const openAgent = createBotAgents({
    ...parts,
    env: () => parts.settings().env,
    mark,
    toolsOf: tools.of,
    permission: permissions.ask,
    log: createAgentLog(clock, (conversation, text) => log("info", text, { conversation })),
  });

  async function openSession(id: string, signal: AbortSignal) {
    const conversation = find(id)!;
    try {
      const folder = await folderOf(conversation);
      const me = await self.known(signal);
      const { files } = folder;
      const siblings = parts.siblings();
      const sweep = tools.sweepOf(conversation);
      given.set(id, sweep?.desk.path);
      const opened = await openAgent({
        conversation,
        place: folder,
        instructions: botInstructions({
          ...{ me, config: config(), conversation, siblings, files, sweep },
          roles: await rolesOf(conversation, signal),
        }),
        earlier: transcripts.said(journal.state, id),
        signal,
      });
      if (!("failed" in opened)) remember(conversation, opened.memory);
      return opened;
    } catch (error) {
      return { failed: refused(signal.aborted ? "It was stopped" : (error as Error).message) };
    }
  }

  function rolesOf(conversation: Conversation, signal: AbortSignal) {
    const { guildId } = conversation.place;
    const ids = rolesIn(conversation, config().rules.triggerRoles);
    return guildId === undefined ? [] : roles.named(guildId, ids, signal);
  }

  function remember(conversation: Conversation, how: keyof typeof REMEMBERED | "fresh"): void {
    if (how === "fresh" || conversation.turns <= conversation.forgot + 1) return;
    const key = `memory ${conversation.id} ${conversation.turns}`;
    void voice.remark(conversation, REMEMBERED[how], key);
  }

  const sessions = createSessions({
    limit: () => config().pool.mostSessions,
    ttlMs: () => config().pool.ttlMs,
    clock,
    basis: (id) => agentBasis(find(id)!, config(), parts.settings()),
    open: openSession,
  });

  function screen(one: Conversation, batch: Conversation["waiting"]): "go" | "drop" | TurnFailure {
    const isOthers = given.get(one.id) !== tools.sweepOf(one)?.desk.path;
    // Its sweep came or went: an agent learns of its tools when it begins.
    if (isOthers && sessions.find(one.id) !== undefined) void sessions.close(one.id);
    const isBots = batch.every(({ arrival }) => arrival.author.isBot);
    if (isBots && surface.areBotsStopped(one.id)) return "drop";
    const { usdPerDay } = config().budget;
    const spent = usdOn(journal.state.usage, dayOf(clock.now()));
    if (usdPerDay !== undefined && spent >= usdPerDay) return overBudget(spent, usdPerDay);
    const { mostWaiting } = config().pool;
    if (sessions.find(one.id) === undefined && sessions.waiting().length >= mostWaiting) {
      return tooMany(mostWaiting);
    }
    return "go";
  }

  const titleOf = ({ first }: Pick<Conversation, "first">) =>
    threadTitle(first, self.now()?.id ?? "", config().rules.triggerRoles);
  const append = (whats: readonly ChatHappening[], by: string) =>
    journal.append(whats, { by, at: clock.now(), lease });
  const broker: Broker = createBroker({
    state,
    append,
    sessions,
    clock,
    batch() {
      const { mode, mostMessages, mostTokens } = config().dispatch;
      return { mode, messages: mostMessages, tokens: mostTokens };
    },
    patience() {
      const { silenceMs, toolMs, turnMs } = config().limits;
      return { stuckMs: silenceMs, graceMs: silenceMs, toolMs, totalMs: turnMs };
    },
    place: createBrokerThreads({
      rest,
      places,
      clock,
      random: parts.random,
      me: () => self.now()?.id,
      mark: () => mark,
      titleOf,
      log,
    }),
    blocks: createBotBlocks({
      ...parts,
      env: () => parts.settings().env,
      me: self.known,
      filesOf,
      history,
      isHeard: (message) => journal.state.heard.has(message),
      hasOtherBots: (id) => surface.hasOtherBots(id),
      botTurns: (id) => surface.botTurns(id),
      threadOf: (id) => {
        const where = find(id)?.where;
        return where === undefined || where.replies ? undefined : where.channelId;
      },
      onTaken: taken,
      log: (text) => log("info", text),
    }),
    screen,
    log,
  });

  function taken(
    one: Conversation,
    { id, place }: Conversation["first"],
    lines: readonly string[],
    signs: readonly string[],
  ): void {
    const channel = place.threadId ?? place.channelId;
    for (const sign of config().reactions.enabled ? signs : []) {
      void rest.react(channel, id, sign, stop.signal).catch(() => {});
    }
    if (lines.length > 0) void voice.remark(find(one.id) ?? one, lines.join("\n"), `taken ${id}`);
  }

  const desk = createBotDesk({
    ...{
      broker,
      permissions,
      sessions,
      transcripts,
      state,
      append,
      config,
      rest,
      mark,
      titleOf,
      waits,
    },
    me: () => self.now()?.id,
    home: parts.home,
    programOf: (choice) => programOf(choice, parts.settings()),
    clock,
    audit,
    log,
  });
  const outbox = createBotOutbox({ ...place, config, find, filesOf, voice, clock, log });
  const surface: BrokerSurface = createBrokerSurface({
    ...parts,
    rest,
    broker,
    state,
    memory,
    places,
    roles,
    self,
    siblings: () => parts.siblings().map(({ id }) => id),
    interactions: desk.interactions,
    order: desk.order,
    audit,
    log,
  });
  const deaf = [broker.onTurn(outbox.heed), journal.onAppend(after)];

  /** What follows from an event, and may fail without harm: it is done again at the next start. */
  function after({ what, by }: Event<ChatHappening>): void {
    if (what.type === "conversation-placed") surface.placed(what.conversation);
    if (what.type === "conversation-closed") permissions.forget(what.conversation);
    // Whoever deleted it needs no sign on it.
    if (what.type === "message-withdrawn" && by !== "discord") {
      surface.withdrawn(find(what.conversation)!, what.message);
    }
    if (what.type === "turn-ended") keepTranscript(what.conversation);
  }

  function keepTranscript(id: string): void {
    try {
      for (const turn of find(id)?.untold ?? []) transcripts.keep(id, turn);
    } catch (error) {
      log("warn", "Cannot write a transcript", { conversation: id, error: `${error}` });
    }
  }

  return {
    name,
    broker,
    sessions,
    surface,
    desk,
    state,
    me: self.now,
    isBusy: () =>
      [...journal.state.conversations.values()].some(({ turn, waiting, untold }) =>
        turn !== undefined || waiting.length + untold.length > 0
      ) || Object.values(journal.state.waits).some(({ due }) => due !== undefined),
    look: waits.look,
    start() {
      for (const id of journal.state.conversations.keys()) keepTranscript(id);
      surface.start();
      // Who deleted a message while herd was away wants no answer to it.
      const late = clock.sleep(REVIEW_MS, stop.signal).catch(() => surface.reviewed);
      broker.start(Promise.race([surface.reviewed, late]));
      desk.start();
      outbox.start(lately(journal.state));
      waits.start();
    },
    async [Symbol.asyncDispose]() {
      for (const end of deaf) end();
      stop.abort();
      for (const part of [desk, waits]) await part[Symbol.asyncDispose]();
      await broker[Symbol.asyncDispose]();
      for (const part of [sessions, outbox, surface]) await part[Symbol.asyncDispose]();
      journal.saveSnapshot(lease);
      lease.release();
    },
  };
}

/** Conversations whose agents may have left something in the last life of this program, newest last. */
function lately({ conversations }: ChatState): string[] {
  return [...conversations.values()].filter(({ turns, turn }) => turns > 0 && turn === undefined)
    .sort((a, b) => a.lastAt - b.lastAt).slice(-MOST_LATELY).map(({ id }) => id);
}

const MOST_LATELY = 50;

const REMEMBERED = {
  loaded: "-# The agent was started again; it remembers this conversation.",
  replayed: "-# The agent was started again; it was told what was said here before.",
  lost: "-# ⚠️ The agent was started again and does not know what was said here before.",
} as const;

function refused(message: string): TurnFailure {
  return { kind: "refused", message, code: undefined, stderr: "", hint: undefined };
}

function overBudget(spent: number, most: number): TurnFailure {
  return {
    ...refused(`Today's budget is used up: $${spent.toFixed(2)} of $${most}`),
    kind: "budget",
    hint: "It begins anew at midnight UTC; whoever runs herd can raise it",
  };
}

function tooMany(most: number): TurnFailure {
  return {
    ...refused(`Too many conversations wait already: ${most}`),
    kind: "busy",
    hint: "Say it again later",
  };
}
