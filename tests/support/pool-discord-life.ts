import { createPoolChannels } from "../../lib/discord/pool-channels.ts";
import type { PoolChannels } from "../../lib/discord/pool-channels.ts";
import { freshPoolMemory } from "../../lib/discord/pool-memory.ts";
import type { PoolRemembered } from "../../lib/discord/pool-memory.ts";
import type { Event } from "../../lib/sweep/event.ts";
import type { WorkerOrders, WorkerReport } from "../../lib/tasks/exchange.ts";
import type { PoolHappening } from "../../lib/tasks/pool-event.ts";
import { createLocalLink } from "./discord/local-link.ts";
import type { LocalLink } from "./discord/local-link.ts";
import type { FakeDiscord } from "./discord/start-discord.ts";
import { POOL_CONFIG, scriptedPoolDesk } from "./scripted-pool-desk.ts";
import type { ScriptedPoolDesk } from "./scripted-pool-desk.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** The coordinator's process: it dies at a write or a request, and comes again over what was on disk. */
export interface PoolProcess {
  /** Undefined while it is dead. */
  desk(): ScriptedPoolDesk | undefined;
  link(): LocalLink | undefined;
  channels(): PoolChannels | undefined;
  journal: Event<PoolHappening>[];
  memory(): PoolRemembered;
  /** Of each write and each request, how likely it is the last. */
  faults: { die: number; late: number };
  counts: { deaths: number; memoriesLost: number };
  start(): void;
  die(losesMemory: boolean): void;
  exchange(report: WorkerReport): WorkerOrders | undefined;
  dispose(): Promise<void>;
}

export const MARK = "abc123";

export function createPoolProcess({ discord, time, random, authors, operators, onDeath }: {
  discord: FakeDiscord;
  time: VirtualTime;
  random(): number;
  authors: readonly string[];
  operators: readonly string[];
  /** It died by itself. */
  onDeath(): void;
}): PoolProcess {
  const journal: Event<PoolHappening>[] = [];
  const faults = { die: 0, late: 0 };
  const counts = { deaths: 0, memoriesLost: 0 };
  const ending = new Set<Promise<void>>();
  let memory = freshPoolMemory(MARK);
  let life: {
    desk: ScriptedPoolDesk;
    link: LocalLink;
    channels: PoolChannels;
    isDead: boolean;
  } | undefined;

  function start(): void {
    if (life !== undefined) return;
    const desk = scriptedPoolDesk(time.clock, journal);
    const own = { desk, isDead: false };
    const dies = () => {
      if (own.isDead) return true;
      if (random() >= faults.die) return false;
      own.isDead = true;
      desk.broken = new Error("the process was killed");
      void time.at(time.now(), onDeath);
      return true;
    };
    desk.settings = {
      ...POOL_CONFIG,
      discord: { ...POOL_CONFIG.discord!, guildId: discord.guild.id, authors, operators },
    };
    // On disk, and then no more.
    desk.onEvent(() => void dies());
    const link = createLocalLink({
      discord,
      token: discord.token,
      clock: time.clock,
      random,
      onSend: () => dies() ? "dead" : random() < faults.late ? "late" : "sent",
    });
    const channels = createPoolChannels({
      desk,
      link,
      memory: {
        read: () => memory,
        write(change) {
          if (own.isDead) return;
          memory = JSON.parse(JSON.stringify({ ...memory, ...change }));
          dies();
        },
      },
      clock: time.clock,
      random,
      workerStatus: () => "READY",
      costText: () => "",
      audit: () => {},
      log: () => {},
      onTrouble: () => {},
    });
    life = Object.assign(own, { link, channels });
    link.onEvent((event) => {
      if (!own.isDead) channels.handle(event);
    });
    link.start();
    channels.start();
  }

  function die(losesMemory: boolean): void {
    const dead = life;
    if (dead === undefined) return;
    life = undefined;
    counts.deaths++;
    dead.isDead = true;
    dead.desk.broken = new Error("the process was killed");
    const end = buried(dead);
    ending.add(end);
    void end.finally(() => ending.delete(end));
    if (!losesMemory) return;
    counts.memoriesLost++;
    // The mark comes from the machine and the place.
    memory = freshPoolMemory(MARK);
  }

  async function buried({ channels, link }: NonNullable<typeof life>): Promise<void> {
    await channels[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
  }

  return {
    desk: () => life?.isDead === false ? life.desk : undefined,
    link: () => life?.link,
    channels: () => life?.channels,
    journal,
    memory: () => memory,
    faults,
    counts,
    start,
    die,
    exchange(report) {
      if (life === undefined || life.isDead) return undefined;
      try {
        return life.desk.exchange(report);
      } catch (error) {
        if (life.desk.broken !== undefined) return undefined;
        throw error;
      }
    },
    async dispose() {
      die(false);
      await Promise.all(ending);
    },
  };
}
