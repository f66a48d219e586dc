import { createMailbox } from "../../lib/discord/create-mailbox.ts";
import { createMailboxDoor } from "../../lib/tasks/via-mailbox-door.ts";
import type { MailboxDoor } from "../../lib/tasks/via-mailbox-door.ts";
import { createMailboxLink, MAIL_BUSY_MS, MAIL_IDLE_MS } from "../../lib/tasks/via-mailbox.ts";
import { createMailDiscord, NO_FAULTS } from "./mail-discord.ts";
import type { MailDiscord, MailFaults } from "./mail-discord.ts";
import type { ScheduleWay } from "./pool-schedule.ts";
import type { PoolWorld } from "./pool-world.ts";
import type { VirtualTime } from "./virtual-time.ts";

const STORM: MailFaults = {
  lose: 0.06,
  loseAnswer: 0.06,
  stale: 0.3,
  eventLost: 0.15,
  eventTwice: 0.1,
  delayMs: 2_000,
};
const COORDINATOR = "coordinator";

/** Workers that reach nothing but an unreliable Discord, with the real mailboxes on both sides. */
export function mailWay(
  time: VirtualTime,
  world: PoolWorld,
  random: () => number,
): ScheduleWay & {
  discord: MailDiscord;
  deaf(side: string, ms: number): void;
  cut(ms: number): void;
} {
  const discord = createMailDiscord(time, random);
  const heat = 0.3 + random();
  for (const key of Object.keys(STORM) as (keyof MailFaults)[]) {
    discord.faults[key] = STORM[key] * heat;
  }
  const counts = { mailRequests: 0, forged: 0, deletedMessages: 0 };
  /** Until when a side has no gateway. */
  const deafUntil = new Map<string, number>();
  let cutUntil = 0;
  let life = { alive: false };
  let doors = new Map<string, MailboxDoor>();
  const noLog = { write() {} };
  const fetchFile = () => Promise.reject(new Error("no file is fetched here"));
  const isLive = (side: string) => () => (deafUntil.get(side) ?? 0) <= time.now();

  function sync(): void {
    for (const { name, mailbox } of world.state().workers.values()) {
      if (mailbox !== undefined && !doors.has(name)) doors.set(name, openDoor(name, mailbox));
    }
  }

  function openDoor(worker: string, { channel, bot }: { channel: string; bot: string }) {
    const own = life;
    const client = {
      bot: COORDINATOR,
      reach: (act: () => void) => own.alive && act(),
      isCut: () => cutUntil > time.now(),
      clock: time.clock,
    };
    const mailbox = createMailbox({
      rest: discord.rest(client),
      channel,
      me: COORDINATOR,
      peer: bot,
      clock: time.clock,
      fetchFile,
      isLive: isLive(COORDINATOR),
      goesOn: true,
    });
    discord.listen(client, (message) => isLive(COORDINATOR)() && mailbox.hear(message));
    const door = createMailboxDoor({
      worker,
      mailbox,
      desk: { ...world.desk(), onChange: (listener) => listen(listener) },
      clock: { now: time.now, sleep: (ms, signal) => sleep(own, ms, signal) },
      keep: () => Promise.resolve(),
      onTrouble() {},
      log: noLog,
    });
    door.start();
    return door;
  }

  let changeListeners = new Set<() => void>();
  function listen(listener: () => void): () => void {
    changeListeners.add(listener);
    return () => changeListeners.delete(listener);
  }

  /** A dead process sleeps for ever. */
  function sleep(own: { alive: boolean }, ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      time.clock.sleep(ms, signal).then(() => own.alive && resolve(), reject);
    });
  }

  world.hooks.started = () => {
    life = { alive: true };
    doors = new Map();
    changeListeners = new Set();
    sync();
  };
  world.hooks.killed = () => life.alive = false;
  world.hooks.changed = () => {
    if (!life.alive) return;
    sync();
    for (const tell of changeListeners) tell();
  };

  const channels = () => [...world.state().workers.values()].flatMap((one) => one.mailbox ?? []);
  const some = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];

  return {
    discord,
    /** The coordinator reaches nothing of Discord. */
    cut: (ms) => void (cutUntil = time.now() + ms),
    deaf: (side, ms) => void deafUntil.set(side, time.now() + ms),
    counts,
    enrolment: (name) => ({
      via: "discord",
      mailbox: { channel: `box-${name}`, bot: `bot-${name}` },
    }),
    crew: {
      everyMs: MAIL_BUSY_MS,
      idleEveryMs: MAIL_IDLE_MS,
      laterMs: Infinity,
      linkOf(machine, clock, reach) {
        const bot = `bot-${machine.name}`;
        const side = `${machine.name} ${machine.host}`;
        const client = { bot, reach, isCut: () => machine.cutOffUntil > time.now(), clock };
        const mailbox = createMailbox({
          rest: discord.rest(client),
          channel: `box-${machine.name}`,
          me: bot,
          peer: COORDINATOR,
          clock,
          fetchFile,
          isLive: isLive(side),
          goesOn: false,
        });
        discord.listen(client, (message) => isLive(side)() && mailbox.hear(message));
        return createMailboxLink({
          mailbox,
          worker: machine.name,
          clock,
          elapsed: clock.elapsed,
          filesOf: () => [],
          log: noLog,
        });
      },
    },
    mischief: [
      // Copies of what was said, by somebody else.
      () => {
        const box = some(channels());
        const letter = box && some(discord.messages(box.channel));
        if (letter === undefined) return;
        counts.forged++;
        discord.say(
          "mallory",
          box!.channel,
          letter.content.replace('"drain":false', '"stop":true'),
        );
      },
      () => {
        const box = some(channels());
        if (box === undefined || random() < 0.5) return;
        counts.deletedMessages++;
        // Who deletes a worker's report takes its sign of life away; what comes of that has its own test.
        discord.deleteOne(box.channel, COORDINATOR);
      },
      () => {
        const sides = [COORDINATOR, ...world.state().workers.keys()];
        const side = some(sides)!;
        const until = time.now() + random() * 900_000;
        for (const one of side === COORDINATOR ? [side] : [`${side} host-1`, `${side} host-2`]) {
          deafUntil.set(one, until);
        }
      },
      () => {
        cutUntil = time.now() + random() * (random() < 0.7 ? 60_000 : 900_000);
      },
    ],
    calm() {
      Object.assign(discord.faults, NO_FAULTS);
      cutUntil = 0;
      deafUntil.clear();
      for (const many of discord.requests.values()) counts.mailRequests += many;
    },
  };
}
