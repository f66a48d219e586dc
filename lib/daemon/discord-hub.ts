import type { Desk } from "../actions/desk.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { spanText } from "../words/duration-text.ts";
import { RefusedError } from "../base/errors.ts";
import { decodeButton } from "../discord/button-id.ts";
import { checkDiscord } from "../discord/check-discord.ts";
import { createSweepChannel } from "../discord/create-channel.ts";
import type { SweepChannel } from "../discord/create-channel.ts";
import type { Interaction } from "../discord/gateway-event.ts";
import type { LinkState } from "../discord/link.ts";
import type { GiveCode } from "../discord/login-form.ts";
import type { TrialHelp } from "../discord/trial-help.ts";
import { slashDefinitions } from "../discord/slash-definitions.ts";
import { openChannelMemory } from "../store/channel-memory.ts";
import type { TrialTasks } from "../tasks/trial-tasks.ts";
import type { OpenPool } from "./open-pool.ts";
import type { PoolPlace } from "./pool-place.ts";
import type { SweepAt } from "./sweep-at.ts";
import { chartOf } from "./chart-of.ts";
import type { Draw } from "./draw.ts";
import type { HeldSweep } from "./held-sweep.ts";
import { joinPool, type PoolParty } from "./pool-party.ts";
import { createWires, type Wire, type WireParty } from "./wires.ts";

export interface DiscordHubParts {
  clock: Clock;
  log: Log;
  random(): number;
  draw: Draw;
  onWarning(message: string): void;
  /** Tasks about trials; undefined while no pool is open here. */
  trials(): TrialTasks | undefined;
  /** See lib/discord/login-form.ts. */
  giveCode: GiveCode;
  /** What conversations have used; "" for nothing. */
  usage(by: "day" | "model", days: number): string;
  /** Whether a bot with this connection converses in that thread of a sweep's channel. */
  converses(wire: Wire, place: { channelId: string; threadId: string }): boolean;
}

/** All that a daemon has to do with Discord: one connection per token, one channel per sweep. */
export interface DiscordHub extends AsyncDisposable {
  /** Opens the sweep's channel when its YAML names a server. Never throws, and never waits for Discord. */
  attach(held: HeldSweep): void;
  /** Says what is left to say, for at most `ms`, and closes the channel. */
  detach(held: HeldSweep, why: string, ms: number): Promise<void>;
  /** Opens the pool's channels where its configuration names a server; undefined where it does not. */
  attachPool(
    pool: Pick<OpenPool, "desk" | "mail" | "trouble">,
    place: PoolPlace,
    env: Readonly<Record<string, string | undefined>>,
  ): AsyncDisposable | undefined;
  /** The connection of a bot that converses; whoever else has its token shares it. */
  wireOf(token: string, env: Readonly<Record<string, string | undefined>>): Wire;
  /** Whether a sweep of this daemon talks in that channel by that connection. */
  isSweepChannel(wire: Wire, channelId: string): boolean;
  /** The sweep whose channel that is, whichever bot it has. */
  sweepAt(channelId: string): SweepAt | undefined;
  /** The sweep of that folder. */
  sweepIn(path: string): Desk | undefined;
  /** Whether people can be asked in this sweep's channel. */
  canAsk(held: HeldSweep): boolean;
}

/** A channel that does not work for so long is told of in the journal. */
const PATIENCE_MS = 60_000;
const SURVEY_MS = 1_000;
/** An interaction must be answered within three seconds. */
const LOST_MS = 2_000;

interface Attached {
  held: HeldSweep;
  channel: SweepChannel;
  guildId: string;
  wire: Wire;
  leave(): Promise<void>;
  trouble: { link: string | undefined; channel: string | undefined; since: number };
  told: string | undefined;
  /** A survey is under way or about to begin. */
  surveying: boolean;
  /** What the last survey found missing. */
  lacking: readonly string[];
}

export function createDiscordHub(parts: DiscordHubParts): DiscordHub {
  const { clock, log } = parts;
  const attached = new Map<HeldSweep, Attached>();
  const pools = new Set<PoolParty>();
  const stop = new AbortController();
  const { random } = parts;
  const wires = createWires({ clock, log, random, signal: stop.signal, onLost: lost });

  function attach(held: HeldSweep): void {
    const { discord } = held.outside.sweep().config;
    if (discord.guildId === undefined) return;
    const token = held.env["DISCORD_BOT_TOKEN"];
    if (token === undefined || token === "") {
      const message = "DISCORD_BOT_TOKEN is not in the environment: the sweep is not in Discord; " +
        "put the token into the workspace's .env, or export it where herd is started";
      parts.onWarning(`${held.desk.id}: ${message}`);
      void tell(held, false, message);
      return;
    }
    const wire = wires.of(token, held.env);
    const one: Attached = {
      held,
      guildId: discord.guildId,
      wire,
      leave: () => Promise.resolve(),
      trouble: { link: undefined, channel: undefined, since: clock.now() },
      told: unhealthy(held),
      surveying: false,
      lacking: [],
      channel: channelOf(held, discord.guildId, wire, (why) => {
        one.trouble.channel = why;
        weigh(one);
      }),
    };
    attached.set(held, one);
    one.channel.start();
    one.leave = wire.join(partyOf(one));
  }

  function partyOf(one: Attached): WireParty {
    const { channel, guildId, held } = one;
    return {
      rank: "sweep",
      guildId,
      commands: slashDefinitions,
      onState: (state) => stateChanged(one, state),
      onEvent(event) {
        channel.handle(event);
        const isRights = event.type === "permissions-changed" || event.type === "channel-changed";
        if (isRights) void survey(one);
      },
      // Each of the other sweeps would only say where to go.
      onInteraction(interaction) {
        const id = channel.channelId();
        const isHome = id !== undefined &&
          (id === interaction.channelId || id === interaction.parentId);
        // Of the other commands that are registered here some are the broker's, in every channel.
        const isKnown = interaction.kind === "button" ||
          slashDefinitions().some(({ name }) => name === interaction.name);
        if (!isHome || !isKnown) return false;
        channel.handle({ type: "interaction", interaction });
        return true;
      },
      onCommandsRefused: (_, why) => parts.onWarning(`${held.desk.id}: no slash commands: ${why}`),
    };
  }

  function channelOf(
    held: HeldSweep,
    guildId: string,
    wire: Wire,
    onTrouble: (why: string | undefined) => void,
  ): SweepChannel {
    const { desk, outside } = held;
    const write = (level: "info" | "warn", message: string, facts = {}) =>
      log.write(level, message, { sweep: desk.id, part: "discord", ...facts });
    const memory = openChannelMemory({
      path: outside.paths.discord,
      onProblem: (message, error) => write("warn", message, { error: `${error}` }),
    });
    let settings = outside.sweep().config.discord;
    return createSweepChannel({
      desk,
      settings() {
        try {
          settings = outside.sweep().config.discord;
        } catch {
          // What is wrong with the YAML the monitor says.
        }
        return settings;
      },
      guildId,
      link: wire.link,
      memory,
      clock,
      random: parts.random,
      isTaken: (id) =>
        [...attached.values()].some((one) => one.held !== held && one.channel.channelId() === id),
      converses(threadId) {
        const channelId = attached.get(held)?.channel.channelId();
        return channelId !== undefined && parts.converses(wire, { channelId, threadId });
      },
      async draw(request, signal) {
        const made = chartOf(desk, request);
        if ("cannot" in made) return made;
        const drawn = await parts.draw(made.chart, signal);
        return "cannot" in drawn ? drawn : { png: drawn.png, caption: made.caption };
      },
      audit: held.audit,
      log: write,
      onTrouble,
      help: helpOf(held),
      giveCode: parts.giveCode,
    });
  }

  function helpOf({ desk }: HeldSweep): TrialHelp {
    const trials = () => {
      const found = parts.trials();
      if (found !== undefined) return found;
      throw new RefusedError("Cannot ask an agent: no pool runs in this daemon");
    };
    return {
      isOpen: () => parts.trials() !== undefined,
      async rule(member) {
        const [pool] = pools;
        if (pool === undefined) return undefined;
        const ruling = await pool.channels.access.rule(member, "submit");
        return ruling.may ? ruling : await pool.channels.access.rule(member, "operate").then(
          (other) => other.may ? other : { may: false, why: ruling.why },
        );
      },
      ask: async (question, who) =>
        await trials().ask({ sweep: desk.id, overrides: {}, ...question }, who),
      apply: async (task, epoch, by) => await trials().apply(task, by, epoch),
      dismiss: async (task, epoch, by) => await trials().dismiss(task, by, epoch),
    };
  }

  function stateChanged(one: Attached, state: LinkState): void {
    one.trouble.link = state.phase === "waiting"
      ? state.detail
      : state.phase === "refused"
      ? `${state.detail}. ${state.hint}`
      : undefined;
    weigh(one);
    if (state.phase === "refused") {
      parts.onWarning(`${one.held.desk.id}: ${state.detail}. ${state.hint}`);
    }
    if (state.phase === "connected") void survey(one);
  }

  /** Told once it lasts, again when it is another reason, and when it is over. */
  function weigh(one: Attached): void {
    const { trouble } = one;
    const why = trouble.link ?? trouble.channel;
    if (why === undefined) {
      trouble.since = clock.now();
      if (one.told !== undefined) {
        one.told = undefined;
        void tell(one.held, true, "connected");
      }
      return;
    }
    if (one.told === why) return;
    const rest = trouble.since + PATIENCE_MS - clock.now();
    if (rest > 0 && one.wire.link.state().phase !== "refused") {
      void clock.sleep(rest, stop.signal).then(() => {
        if (attached.get(one.held) === one) weigh(one);
      }, () => {});
      return;
    }
    one.told = why;
    log.write("warn", `Discord is out: ${why}`, {
      sweep: one.held.desk.id,
      for: spanText(clock.now() - trouble.since),
    });
    void tell(one.held, false, why);
  }

  async function tell(
    held: HeldSweep,
    ok: boolean,
    detail: string,
    name: "discord" | "discord-rights" = "discord",
  ): Promise<void> {
    const before = held.outside.state().monitor.peripherals[name];
    if ((before?.ok ?? true) === ok && (ok || before?.detail === detail)) return;
    try {
      await held.record([{ type: "peripheral-health", name, ok, detail }]);
    } catch (error) {
      log.write("warn", "Cannot write down how Discord is", { error: `${error}` });
    }
  }

  /** What is missing, in the words of `herd discord check`: at each connection and change of rights. */
  async function survey(one: Attached): Promise<void> {
    if (one.surveying) return;
    one.surveying = true;
    try {
      // Who changes one right often changes others with it.
      await clock.sleep(SURVEY_MS, stop.signal);
      one.surveying = false;
      const { guildId, held, wire } = one;
      const findings = await checkDiscord({
        token: held.env["DISCORD_BOT_TOKEN"] ?? "",
        guildId,
        channelId: one.channel.channelId() ?? held.outside.sweep().config.discord.channelId,
        rest: wire.link.rest,
        proxy: undefined,
        signal: stop.signal,
      });
      const lacking = findings.filter(({ mark }) => mark !== "good");
      const news = lacking.filter(({ message }) => !one.lacking.includes(message));
      one.lacking = lacking.map(({ message }) => message);
      for (const { message, mend } of news) {
        parts.onWarning(`${held.desk.id}: ${message}${mend === undefined ? "" : `. ${mend}`}`);
        log.write("warn", message, { sweep: held.desk.id, part: "discord" });
      }
      await tell(held, lacking.length === 0, one.lacking.join("; "), "discord-rights");
    } catch (error) {
      one.surveying = false;
      if (stop.signal.aborted) return;
      log.write("info", "Cannot survey Discord", { error: `${error}` });
    }
  }

  function lost(wire: Wire, interaction: Interaction): void {
    void answerLost(wire, interaction);
  }

  async function answerLost(wire: Wire, interaction: Interaction): Promise<void> {
    // Another daemon with the same token may have the sweep of this channel: it answers first.
    await clock.sleep(LOST_MS, stop.signal).catch(() => {});
    const homes = [...attached.values()].filter((one) => one.wire === wire)
      .flatMap(({ channel }) => channel.channelId() ?? [])
      .map((id) => `<#${id}>`);
    const action = interaction.kind === "button"
      ? decodeButton(interaction.button)?.action
      : undefined;
    const where = action !== undefined && ["agent", "apply", "dismiss"].includes(action)
      ? "The sweep of this button is not monitored now: `herd monitor` in its folder takes it up " +
        "again. `herd task` does without."
      : homes.length === 0
      ? "No sweep is monitored now."
      : `Sweeps are operated in their own channels: ${homes.slice(0, 20).join(", ")}`;
    try {
      await wire.link.rest.respond(
        interaction,
        interaction.kind === "completion"
          ? { kind: "choices", choices: [] }
          : { kind: "message", message: { content: where, ephemeral: true } },
      );
    } catch (error) {
      log.write("info", "Cannot answer in a channel without a sweep", { error: `${error}` });
    }
  }

  async function detach(held: HeldSweep, why: string, ms: number): Promise<void> {
    const one = attached.get(held);
    if (one === undefined) return;
    const { phase } = one.wire.link.state();
    await one.channel.end(why, phase === "waiting" || phase === "refused" ? 0 : ms);
    attached.delete(held);
    await one.channel[Symbol.asyncDispose]();
    await one.leave();
  }

  function attachPool(
    pool: Pick<OpenPool, "desk" | "mail" | "trouble">,
    place: PoolPlace,
    env: Readonly<Record<string, string | undefined>>,
  ): AsyncDisposable | undefined {
    const { discord } = pool.desk.config();
    if (discord === undefined) return undefined;
    const token = "env" in discord.token ? env[discord.token.env] ?? "" : discord.token.text;
    if (token === "") {
      const from = "env" in discord.token ? discord.token.env : "pool.discord.token";
      parts.onWarning(`pool: ${from} is not set: the pool is not in Discord`);
      pool.trouble(
        "Discord",
        `The pool is not in Discord: ${from} is not set where it was started`,
      );
      return undefined;
    }
    const { guildId } = discord;
    const party = joinPool(wires.of(token, env), {
      ...{ pool, place, guildId, env, clock, log, random },
      usage: parts.usage,
    });
    pools.add(party);
    return {
      async [Symbol.asyncDispose]() {
        pools.delete(party);
        await party[Symbol.asyncDispose]();
      },
    };
  }

  return {
    attach(held) {
      try {
        attach(held);
      } catch (error) {
        // Discord is a peripheral: whatever is wrong with it, the sweep goes on.
        log.write("error", "Cannot open the channel in Discord", { error: `${error}` });
        parts.onWarning(
          `${held.desk.id}: the sweep is not in Discord: ${(error as Error).message}`,
        );
      }
    },
    detach,
    attachPool,
    wireOf: wires.of,
    isSweepChannel: (wire, channelId) =>
      [...attached.values()].some((one) =>
        one.wire === wire && one.channel.lastChannelId() === channelId
      ),
    sweepAt(channelId) {
      const one = [...attached.values()].find(({ channel }) =>
        channel.lastChannelId() === channelId
      );
      if (one === undefined) return undefined;
      const { held: { desk }, channel: { trialOf, mayUser: may } } = one;
      return { desk, channelId, trialOf, may };
    },
    sweepIn: (path) => [...attached.keys()].find(({ desk }) => desk.path === path)?.desk,
    canAsk: (held) => {
      const one = attached.get(held);
      return one !== undefined && one.wire.link.state().phase !== "refused";
    },
    async [Symbol.asyncDispose]() {
      for (const held of [...attached.keys()]) await detach(held, "the daemon ends", 1_000);
      stop.abort();
    },
  };
}

/** What the journal says is out since before this life. */
function unhealthy({ outside }: HeldSweep): string | undefined {
  const health = outside.state().monitor.peripherals.discord;
  return health === undefined || health.ok ? undefined : health.detail;
}
