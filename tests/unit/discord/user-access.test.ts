import assert from "node:assert/strict";
import { test } from "node:test";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import type { Member } from "../../../lib/discord/message.ts";
import { createUserAccess } from "../../../lib/discord/user-access.ts";

function accessScene() {
  const world = {
    now: 0,
    asked: 0,
    error: undefined as DiscordError | undefined,
    seen: [] as Member[],
  };
  const may = createUserAccess({
    access: {
      rule(member) {
        world.seen.push(member);
        return Promise.resolve({ may: true });
      },
    },
    rest: {
      member(_, id) {
        world.asked++;
        if (world.error !== undefined) throw world.error;
        return Promise.resolve({ id, name: "alice", roles: ["5"] } as never);
      },
    },
    guildId: "1",
    clock: { now: () => world.now },
  });
  return { world, may };
}

test("somebody's rights are those of the roles that Discord tells now, asked for once a minute", async () => {
  const { world, may } = accessScene();
  assert.deepEqual(await may("7", "act"), { may: true });
  await may("7", "look");
  assert.equal(world.asked, 1);
  assert.deepEqual(world.seen[0], {
    userId: "7",
    name: "alice",
    roles: ["5"],
    permissions: undefined,
  });
  world.now = 61_000;
  await may("7", "act");
  assert.equal(world.asked, 2);
});

test("who has left has no rights, and while Discord does not say nobody has", async () => {
  const { world, may } = accessScene();
  world.error = new DiscordError("gone", { kind: "missing" });
  assert.match(JSON.stringify(await may("7", "act")), /not in the server/);
  world.error = new DiscordError("out", { kind: "unreachable" });
  assert.deepEqual(await may("7", "act"), {
    may: false,
    why: "Discord does not say now who may do that",
    unsure: true,
  });
});
