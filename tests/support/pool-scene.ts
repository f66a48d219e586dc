import assert from "node:assert/strict";
import { createPoolChannels } from "../../lib/discord/pool-channels.ts";
import type { PoolChannels } from "../../lib/discord/pool-channels.ts";
import type { GatewayEvent, Interaction, OptionValue } from "../../lib/discord/gateway-event.ts";
import type { DiscordLink } from "../../lib/discord/link.ts";
import type { Message, Outgoing } from "../../lib/discord/message.ts";
import { freshPoolMemory } from "../../lib/discord/pool-memory.ts";
import type { PoolMemory, PoolRemembered } from "../../lib/discord/pool-memory.ts";
import type { FirstAnswer } from "../../lib/discord/rest.ts";
import type { WorkerStatus } from "../../lib/tasks/pool-desk.ts";
import { BOT, GUILD, memoryDiscord } from "./discord-rest.ts";
import type { Kept, MemoryDiscord } from "./discord-rest.ts";
import { scriptedPoolDesk } from "./scripted-pool-desk.ts";
import type { ScriptedPoolDesk } from "./scripted-pool-desk.ts";
import { createSteppedClock } from "./stepped-clock.ts";
import type { SteppedClock } from "./stepped-clock.ts";

/** A pool's three channels over a Discord in memory, in time that a test lets pass. */
export interface PoolScene {
  discord: MemoryDiscord;
  desk: ScriptedPoolDesk;
  memory: PoolMemory;
  clock: SteppedClock;
  pool: PoolChannels;
  audit: { event: string; fields: Readonly<Record<string, unknown>> }[];
  troubles: (string | undefined)[];
  answers: FirstAnswer[];
  /** Lets time pass in small steps, with all that follows from each. */
  pass(ms: number, step?: number): Promise<void>;
  /** Everything that was set off comes to rest; no time passes. */
  rest(): Promise<void>;
  queue(): string;
  results(): Kept[];
  workers(): Kept[];
  /** Somebody says something in the queue's channel, and the gateway tells it. */
  say(content: string, more?: Parameters<MemoryDiscord["say"]>[2]): Promise<Message>;
  tell(event: GatewayEvent): Promise<void>;
  command(
    name: string,
    sub: string | undefined,
    options?: Options,
    more?: Asked,
  ): Promise<Outgoing>;
  press(message: Kept, label: string, more?: Asked): Promise<FirstAnswer>;
  /** Another life over the same Discord, journal and memory. */
  again(): Promise<void>;
}

type Options = Record<string, OptionValue>;
interface Asked {
  user?: string;
  roles?: string[];
  channelId?: string;
  id?: string;
}

export async function withPool(
  use: (scene: PoolScene) => Promise<void>,
  { before, status, remembered }: {
    before?: (discord: MemoryDiscord, desk: ScriptedPoolDesk) => void;
    status?: (worker: string, desk: ScriptedPoolDesk) => WorkerStatus;
    remembered?: Partial<PoolRemembered>;
  } = {},
): Promise<void> {
  const discord = memoryDiscord();
  const clock = createSteppedClock();
  let now = { ...freshPoolMemory("abc123"), ...remembered };
  const memory: PoolMemory = {
    read: () => now,
    write(change) {
      // As a file would give it back.
      now = JSON.parse(JSON.stringify({ ...now, ...change }));
    },
  };
  const answers: FirstAnswer[] = [];
  discord.rest.respond = (_, answer) => {
    discord.calls.push("respond");
    answers.push(answer);
    return Promise.resolve();
  };
  const audit: PoolScene["audit"] = [];
  const troubles: PoolScene["troubles"] = [];
  let interactions = 5_000;

  function live(desk: ScriptedPoolDesk): PoolChannels {
    const link = {
      rest: discord.rest,
      state: () => ({
        phase: "connected",
        since: 0,
        me: { id: BOT, name: "herd" },
        applicationId: BOT,
      }),
    } as unknown as DiscordLink;
    return createPoolChannels({
      desk,
      link,
      memory,
      clock,
      random: () => 0.5,
      workerStatus: (worker) =>
        status?.(worker, desk) ??
          (desk.sightings().get(worker)?.report.attempts.some((one) => one.report === undefined)
            ? "CLAIMED"
            : "READY"),
      costText: (by, days) => `cost by ${by} of ${days} days`,
      audit: (event, fields) => void audit.push({ event, fields }),
      log: () => {},
      onTrouble: (trouble) => void troubles.push(trouble),
    });
  }

  async function rest(): Promise<void> {
    for (let i = 0; i < 25; i++) await new Promise((done) => setImmediate(done));
  }

  const first = scriptedPoolDesk(clock);
  before?.(discord, first);
  const channelOf = (place: "queue" | "results" | "workers") => memory.read().places[place]!.id;
  const scene: PoolScene = {
    discord,
    desk: first,
    memory,
    clock,
    pool: live(first),
    audit,
    troubles,
    answers,
    rest,
    async pass(ms, step = 1_000) {
      for (let left = ms; left > 0; left -= step) {
        clock.advance(Math.min(step, left));
        await rest();
      }
    },
    queue: () => channelOf("queue"),
    results: () => discord.messages.filter((one) => one.channelId === channelOf("results")),
    workers: () => discord.messages.filter((one) => one.channelId === channelOf("workers")),
    async say(content, more = {}) {
      const message = discord.say(channelOf("queue"), content, { at: clock.now(), ...more });
      const { userId = message.author.id, roles = [] } = more.member ?? {};
      const member = { userId, name: message.author.name, roles, permissions: undefined };
      scene.pool.handle({ type: "message", message: { ...message, member } });
      await rest();
      return message;
    },
    async tell(event) {
      scene.pool.handle(event);
      await rest();
    },
    async command(name, sub, options = {}, more = {}) {
      const kind = { kind: "command", name, options, ...(sub === undefined ? {} : { sub }) };
      const answer = await asked({ ...kind, ...base(more) } as Interaction);
      assert.equal(answer.kind, "message");
      return (answer as Extract<FirstAnswer, { kind: "message" }>).message;
    },
    press(message, label, more = {}) {
      const button = message.outgoing.rows?.flat().find((one) => one.label === label);
      assert.ok(button, `no button "${label}" in: ${message.content}`);
      return asked({ kind: "button", button: button.id, message, ...base(more) } as Interaction);
    },
    async again() {
      await scene.pool[Symbol.asyncDispose]();
      scene.desk = scriptedPoolDesk(clock, scene.desk.journal);
      scene.pool = live(scene.desk);
      scene.pool.start();
      await rest();
    },
  };

  function base({ user = "1", roles = [], channelId, id }: Asked) {
    return {
      id: id ?? `${interactions++}`,
      token: "tok",
      applicationId: BOT,
      guildId: GUILD,
      channelId: channelId ?? channelOf("queue"),
      parentId: undefined,
      // What Discord says of permissions is of the channel where it was asked.
      member: { userId: user, name: `user${user}`, roles, permissions: ~0n },
      at: 0,
    };
  }

  async function asked(interaction: Interaction): Promise<FirstAnswer> {
    const before = answers.length;
    assert.equal(scene.pool.handlePoolInteraction(interaction), true);
    await rest();
    assert.equal(answers.length, before + 1, "one answer");
    return answers.at(-1)!;
  }

  try {
    scene.pool.start();
    await rest();
    await use(scene);
  } finally {
    await scene.pool[Symbol.asyncDispose]();
  }
}
