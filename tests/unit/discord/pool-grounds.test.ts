import assert from "node:assert/strict";
import test from "node:test";
import { PERMISSION, WANTED } from "../../../lib/discord/permissions.ts";
import { layGrounds, surveyGrounds } from "../../../lib/discord/pool-grounds.ts";
import type { GroundsWish } from "../../../lib/discord/pool-grounds.ts";
import type { Channel, DiscordRest } from "../../../lib/discord/rest.ts";
import { DiscordError } from "../../../lib/discord/discord-error.ts";

const GUILD = "100000000000000001";
const ME = "100000000000000002";
const ALL = WANTED.reduce((bits, { name }) => bits | PERMISSION[name], 0n);

const WISH: GroundsWish = {
  guildId: GUILD,
  applicationId: ME,
  me: ME,
  channels: { queue: "task-queue", results: "results", workers: "worker-pool" },
  marks: ["pown", "former"],
  only: undefined,
};

interface Made {
  name: string;
  topic: string;
  overwrites?: Channel["overwrites"];
}

/** A server with these channels, in which the bot has these rights. */
function server(channels: Channel[] = [], rights = ALL) {
  const made: Made[] = [];
  const edits: { id: string; topic: string | undefined }[] = [];
  let broken: DiscordError | undefined;
  const rest = {
    guild: () =>
      Promise.resolve({
        id: GUILD,
        name: "lab",
        ownerId: "1",
        roles: [
          { id: GUILD, name: "@everyone", permissions: rights, managed: false },
          { id: "77", name: "people", permissions: 0n, managed: false },
        ],
      }),
    member: () => Promise.resolve({ userId: ME, name: "bot", bot: true, roles: [] }),
    channels: () => Promise.resolve(channels),
    createChannel(_: string, one: Made) {
      if (broken !== undefined && made.length > 0) return Promise.reject(broken);
      made.push(one);
      const channel = textChannel(one.name, one.topic);
      channels.push(channel);
      return Promise.resolve(channel);
    },
    editChannel(id: string, { topic }: { topic?: string }) {
      edits.push({ id, topic });
      return Promise.resolve(channels.find((one) => one.id === id)!);
    },
  } as unknown as DiscordRest;
  return {
    rest,
    made,
    edits,
    channels,
    breaks: (error: DiscordError | undefined) => broken = error,
  };
}

let ids = 200000000000000000n;
function textChannel(name: string, topic = "", more: Partial<Channel> = {}): Channel {
  return {
    id: `${++ids}`,
    guildId: GUILD,
    type: 0,
    name,
    topic,
    parentId: undefined,
    overwrites: [],
    archived: false,
    ...more,
  };
}

async function laid(where: ReturnType<typeof server>, wish: Partial<GroundsWish> = {}) {
  const whole = { ...WISH, ...wish };
  const grounds = await surveyGrounds(where.rest, whole);
  assert.deepEqual(grounds.problems, []);
  return await layGrounds(where.rest, grounds, whole);
}

test("looking changes nothing; what is missing is made, and found again by a second set-up", async () => {
  const where = server([textChannel("results")]);
  await surveyGrounds(where.rest, WISH);
  assert.deepEqual([where.made, where.edits], [[], []]);
  const first = await laid(where);
  assert.deepEqual(where.made.map(({ name }) => name), ["task-queue", "worker-pool"]);
  assert.ok(where.made.every(({ topic }) => topic.endsWith(" [herd:pown]")));
  assert.match(where.edits[0]!.topic!, /\[herd:pown\]$/);
  where.channels.find(({ name }) => name === "results")!.topic = where.edits[0]!.topic!;
  assert.deepEqual(await laid(where), first);
  assert.deepEqual([where.made.length, where.edits.length], [2, 1]);
});

test("what was made before a failure is not made twice", async () => {
  const where = server();
  where.breaks(new DiscordError("no", { kind: "unreachable" }));
  await assert.rejects(laid(where), DiscordError);
  where.breaks(undefined);
  await laid(where);
  assert.deepEqual(where.made.map(({ name }) => name), ["task-queue", "results", "worker-pool"]);
});

test("a channel of a sweep or of another pool is not taken by its name, but by its id", async () => {
  const foreign = textChannel("task-queue", "Sweep x [herd:other]");
  const where = server([foreign, textChannel("results", "Mine [herd:former]")]);
  const { problems } = await surveyGrounds(where.rest, WISH);
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, new RegExp(`sweep's or another pool's.*"${foreign.id}"`));
  const channels = { ...WISH.channels, queue: foreign.id };
  assert.equal((await laid(where, { channels })).queue.id, foreign.id);
  assert.deepEqual(where.edits, [], "its topic stays");
});

test("everything that is wrong is told, each with a remedy, and nothing is made", async () => {
  const voice = textChannel("talk", "", { type: 2 });
  const mute = textChannel("mute", "", {
    overwrites: [{ id: GUILD, kind: "role", allow: 0n, deny: PERMISSION.SEND_MESSAGES }],
  });
  const where = server([voice, mute], ALL & ~PERMISSION.MANAGE_CHANNELS);
  const wrong = await surveyGrounds(where.rest, {
    ...WISH,
    channels: { queue: voice.id, results: "mute", workers: "new" },
  });
  const text = wrong.problems.join("\n");
  assert.match(text, /"#talk" \(queue\): it is no text channel/);
  assert.match(text, /lacks the permission "Send Messages" in "#mute"/);
  assert.match(text, /Cannot create "#new": the bot lacks the permission Manage Channels/);
  const gone = await surveyGrounds(where.rest, {
    ...WISH,
    channels: { queue: "999999999999999999", results: "mute", workers: "Mute" },
  });
  assert.match(gone.problems.join("\n"), /Cannot find channel "999999999999999999"/);
  assert.match(gone.problems.join("\n"), /"#mute" for results and workers: each is its own/);
  assert.deepEqual(where.made, []);
});

test("private channels are for the bot, authors, operators and workers' bots, with rights the bot has", async () => {
  const where = server();
  await laid(where, { only: { people: ["77", "88", "88", ME, GUILD], workerBots: ["99"] } });
  const [queue, , workers] = where.made;
  assert.deepEqual(queue!.overwrites!.map(({ id, kind }) => `${kind} ${id}`), [
    `role ${GUILD}`,
    `member ${ME}`,
    "role 77",
    "member 88",
  ]);
  assert.equal(queue!.overwrites![0]!.deny, PERMISSION.VIEW_CHANNEL);
  assert.equal(workers!.overwrites!.at(-1)!.id, "99");
  for (const { allow, deny } of where.made.flatMap(({ overwrites }) => overwrites!)) {
    assert.equal((allow | deny) & ~ALL, 0n);
  }
});

test("a channel that is there stays as open as it is, which is said", async () => {
  const where = server([textChannel("results")]);
  const { notices } = await surveyGrounds(where.rest, {
    ...WISH,
    only: { people: [], workerBots: [] },
  });
  assert.match(notices.join("\n"), /Who sees "#results" stays as it is/);
});
