import assert from "node:assert/strict";
import { test } from "node:test";
import { createAccess } from "../../../lib/discord/create-access.ts";
import type { Member } from "../../../lib/discord/message.ts";
import { PERMISSION } from "../../../lib/discord/permissions.ts";
import { channel, GUILD, memoryDiscord, unreachable } from "../../support/discord-rest.ts";

const PEOPLE: Record<string, Partial<Member>> = {
  owner: { userId: "2" },
  manager: { userId: "10", roles: ["50"] },
  operator: { userId: "11" },
  "operator by role": { userId: "12", roles: ["60"] },
  viewer: { userId: "13" },
  anybody: { userId: "14" },
};

/** Who may look and act: L, A, both or nothing. */
const TABLE: readonly [
  lists: { operators?: string[]; viewers?: string[] },
  Record<string, string>,
][] = [
  [{}, {
    owner: "LA",
    manager: "LA",
    operator: "L",
    "operator by role": "L",
    viewer: "L",
    anybody: "L",
  }],
  [{ operators: ["11", "60"] }, {
    owner: "L",
    manager: "L",
    operator: "LA",
    "operator by role": "LA",
    viewer: "L",
    anybody: "L",
  }],
  [{ operators: ["11", "60"], viewers: ["13"] }, {
    owner: "",
    manager: "",
    operator: "LA",
    "operator by role": "LA",
    viewer: "L",
    anybody: "",
  }],
  [{ viewers: ["13"] }, {
    owner: "LA",
    manager: "LA",
    operator: "",
    "operator by role": "",
    viewer: "L",
    anybody: "",
  }],
  [{ operators: [] }, {
    owner: "L",
    manager: "L",
    operator: "L",
    "operator by role": "L",
    viewer: "L",
    anybody: "L",
  }],
];

function access(lists: { operators?: string[]; viewers?: string[] }, discord = memoryDiscord()) {
  discord.channels.set("5", channel("5", "lr"));
  discord.rest = {
    ...discord.rest,
    guild: (id) => {
      discord.calls.push("guild");
      discord.fail("guild");
      const roles = [
        { id, name: "@everyone", permissions: PERMISSION.VIEW_CHANNEL, managed: false },
        { id: "50", name: "managers", permissions: PERMISSION.MANAGE_CHANNELS, managed: false },
      ];
      return Promise.resolve({ id, name: "lab", ownerId: "2", roles });
    },
  };
  let now = 0;
  return {
    discord,
    pass: (ms: number) => void (now += ms),
    access: createAccess({
      settings: () => ({ operators: lists.operators, viewers: lists.viewers }),
      guildId: GUILD,
      channelId: () => "5",
      rest: discord.rest,
      clock: { now: () => now },
    }),
  };
}

const member = (more: Partial<Member>): Member => ({
  userId: "0",
  name: "x",
  roles: [],
  permissions: undefined,
  ...more,
});

for (const [lists, cells] of TABLE) {
  test(`G.3.22: who may look and act with ${JSON.stringify(lists)}`, async () => {
    const { access: one } = access(lists);
    for (const [who, wanted] of Object.entries(cells)) {
      const may = async (right: "look" | "act") =>
        (await one.rule(member(PEOPLE[who]!), right)).may;
      const found = `${await may("look") ? "L" : ""}${await may("act") ? "A" : ""}`;
      assert.equal(found, wanted, who);
    }
  });
}

test("what Discord computed for an interaction is taken as it is", async () => {
  const { access: one, discord } = access({});
  assert.equal(
    (await one.rule(member({ permissions: PERMISSION.MANAGE_CHANNELS }), "act")).may,
    true,
  );
  assert.equal((await one.rule(member({ permissions: 0n }), "act")).may, false);
  assert.deepEqual(discord.calls, []);
});

test("when Discord cannot be asked nobody acts, and it is asked again", async () => {
  const { access: one, discord } = access({});
  discord.fail = () => {
    throw unreachable();
  };
  const manager = member(PEOPLE["manager"]!);
  const refused = await one.rule(manager, "act");
  assert.match(refused.may ? "" : refused.why, /try again in a minute/);
  discord.fail = () => {};
  assert.equal((await one.rule(manager, "act")).may, true);
});

test("roles are asked for once a minute, and anew when something changed", async () => {
  const { access: one, discord, pass } = access({});
  const manager = member(PEOPLE["manager"]!);
  const asked = () => discord.calls.filter((name) => name === "guild").length;
  await one.rule(manager, "act");
  await one.rule(manager, "act");
  assert.equal(asked(), 1);
  pass(61_000);
  await one.rule(manager, "act");
  assert.equal(asked(), 2);
  one.forget();
  await one.rule(manager, "act");
  assert.equal(asked(), 3);
});
