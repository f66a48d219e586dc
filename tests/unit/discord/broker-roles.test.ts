import assert from "node:assert/strict";
import { test } from "node:test";
import { createBrokerRoles } from "../../../lib/discord/broker-roles.ts";
import { DiscordError } from "../../../lib/discord/discord-error.ts";
import type { Guild } from "../../../lib/discord/rest.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

const never = new AbortController().signal;

function scene() {
  const clock = createSteppedClock();
  const names: Record<string, string> = { "1": "ops", "2": "trainers" };
  let asked = 0;
  let answer = (_?: AbortSignal): Promise<Guild> =>
    Promise.resolve({
      id: "9",
      name: "lab",
      ownerId: "7",
      roles: Object.entries(names).map(([id, name]) => ({
        ...{ id, name },
        permissions: 0n,
        managed: false,
      })),
    });
  const roles = createBrokerRoles({
    rest: {
      guild(_, signal) {
        asked++;
        return answer(signal);
      },
    },
    clock,
    log() {},
  });
  return {
    ...{ clock, names, roles },
    asked: () => asked,
    answerBy: (act: typeof answer) => answer = act,
  };
}

test("a server is asked once for the names of its roles, and again when they have changed", async () => {
  const { roles, names, asked } = scene();
  assert.deepEqual(await roles.named("9", [], never), []);
  assert.equal(asked(), 0);
  assert.deepEqual(await roles.named("9", ["2", "2"], never), [{ id: "2", name: "trainers" }]);
  assert.deepEqual(await roles.named("9", ["1"], never), [{ id: "1", name: "ops" }]);
  assert.equal(asked(), 1);
  names["1"] = "operators";
  roles.hear({ type: "permissions-changed", guildId: "9" });
  assert.deepEqual(await roles.named("9", ["1", "3"], never), [{ id: "1", name: "operators" }]);
  assert.equal(asked(), 2);
});

test("a name that Discord does not tell is left out, and keeps no agent waiting", async () => {
  const { roles, clock, answerBy } = scene();
  answerBy(() => Promise.reject(new DiscordError("no", { kind: "unreachable" })));
  assert.deepEqual(await roles.named("9", ["1"], never), []);
  answerBy((signal) =>
    new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)))
  );
  const asked = roles.named("9", ["1"], never);
  await clock.sleeping((lengths) => lengths.includes(3_000));
  clock.advance(3_000);
  assert.deepEqual(await asked, []);
});
