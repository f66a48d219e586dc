import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { PermissionRequest } from "../../../lib/chat/agent-session.ts";
import type { Grant } from "../../../lib/chat/grants.ts";
import type { FirstAnswer } from "../../../lib/discord/rest.ts";
import {
  ALICE,
  BOB,
  type BrokerDeskScene,
  brokerDeskScene,
  EVE,
  THREAD,
} from "../../support/broker-desk-scene.ts";

const wordOf = (answer: FirstAnswer) => "message" in answer ? answer.message.content ?? "" : "";

function request(tool: string): PermissionRequest {
  return { tool, kind: "execute", title: tool, detail: tool };
}

/** Somebody speaks, and says always to what the agent asks for. */
async function granted(scene: BrokerDeskScene, tool: string, by = ALICE): Promise<void> {
  if (scene.broker.turns().length === 0) scene.hear("m1", "build it");
  await scene.until("the agent works", () => scene.broker.turns()[0]?.state.kind === "running");
  const given = scene.permissions.ask(THREAD, request(tool), new AbortController().signal);
  assert.equal(scene.permissions.answer(THREAD, "always", `discord:${by}`), true);
  assert.equal(await given, "always");
}

const grantsOf = (scene: BrokerDeskScene) =>
  scene.state().conversations.get(THREAD)!.grants.map(({ tool }) => tool);

/** The same bot after an end of herd. */
function nextLife(t: TestContext, { journal }: BrokerDeskScene): BrokerDeskScene {
  return brokerDeskScene(t, { journal });
}

test("always holds after a restart of herd, for that tool in that conversation", async (t) => {
  const first = brokerDeskScene(t);
  await granted(first, "make all");
  const scene = nextLife(t, first);
  const signal = new AbortController().signal;
  assert.equal(await scene.permissions.ask(THREAD, request("make all"), signal), "always");
  const other = scene.permissions.ask(THREAD, request("make clean"), signal);
  assert.equal(scene.permissions.open(THREAD)?.tool, "make clean");
  scene.permissions.answer(THREAD, "deny", "discord:7");
  assert.equal(await other, "deny");
});

test("/session permissions lists what is allowed for always, by whom, and takes it back", async (t) => {
  const scene = brokerDeskScene(t);
  const none = await scene.command("session permissions");
  assert.match(none.content!, /There is no conversation here yet/);
  await granted(scene, "make `all`");
  await granted(scene, "rm\nx", BOB);
  const listed = await scene.command("session permissions");
  assert.equal(listed.ephemeral, true);
  assert.equal(
    listed.content,
    "1. `rm ; x`, allowed by <@8>\n2. `make 'all'`, allowed by <@7>",
  );
  const answer = await scene.pressOn(listed, "Ask again for 2", { user: BOB });
  assert.match(wordOf(answer), /^It is asked for again\.\n1\. `rm ; x`, allowed by <@8>$/);
  assert.deepEqual(grantsOf(scene), ["rm\nx"]);
  const late = await scene.pressOn(listed, "Ask again for 2");
  assert.match(wordOf(late), /^That is not allowed any more already\./);
  assert.deepEqual(scene.audit.at(-1)?.fields["action"], "revoke");
  const life = nextLife(t, scene);
  assert.deepEqual(grantsOf(life), ["rm\nx"]);
});

test("who may not talk to the bot sees no grants and takes none back", async (t) => {
  const scene = brokerDeskScene(t);
  await granted(scene, "make all");
  const listed = await scene.command("session permissions");
  assert.match((await scene.command("session permissions", {}, { user: EVE })).content!, /may not/);
  assert.match(wordOf(await scene.pressOn(listed, "Ask again for 1", { user: EVE })), /may not/);
  assert.deepEqual(grantsOf(scene), ["make all"]);
});

test("a reset ends what was allowed for always, and so does going on with another conversation", async (t) => {
  for (const end of ["reset", "attach"] as const) {
    const scene = brokerDeskScene(t);
    await granted(scene, "make all");
    await (end === "reset"
      ? scene.broker.reset(THREAD, "discord:7")
      : scene.broker.attach(THREAD, "201", "discord:7"));
    assert.deepEqual(grantsOf(scene), []);
  }
});

test("however many and long they are, the list has room in one message", async (t) => {
  const scene = brokerDeskScene(t);
  await granted(scene, "first");
  const grant = (i: number): Grant => ({
    id: `${i}`.padStart(16, "0"),
    kind: "execute",
    tool: `${i} ${"x\n".repeat(200)}`,
    by: `discord:${"1".repeat(19)}`,
  });
  scene.append(
    Array.from({ length: 99 }, (_, i) => ({
      type: "permission-granted" as const,
      conversation: THREAD,
      grant: grant(i),
    })),
    "test",
  );
  const listed = await scene.command("session permissions");
  assert.equal(listed.rows!.flat().length, 15);
  assert.match(listed.content!, /and 85 more, older ones; `\/reset` ends them all$/);
});
