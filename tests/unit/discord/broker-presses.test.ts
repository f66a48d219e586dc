import assert from "node:assert/strict";
import { test } from "node:test";
import { readEvent } from "../../../lib/discord/read-event.ts";
import type { FirstAnswer } from "../../../lib/discord/rest.ts";
import { viewOfTurn } from "../../../lib/discord/broker-view.ts";
import type { PermissionRequest } from "../../../lib/chat/agent-session.ts";
import type { AnswerStyle } from "../../../lib/chat/answer.ts";
import {
  ALICE,
  BOB,
  type BrokerDeskScene,
  brokerDeskScene,
  EVE,
  MARK,
  THREAD,
} from "../../support/broker-desk-scene.ts";

const STYLE: AnswerStyle = { tools: "compact", tables: "code", footer: [] };

function request(title = "make all", detail = "make -j8 all"): PermissionRequest {
  return { tool: "shell", kind: "execute", title, detail };
}

/** Somebody has spoken, and the agent asks for something. */
async function asked(scene: BrokerDeskScene, more: Partial<PermissionRequest> = {}) {
  scene.hear("m1", "build it");
  await scene.until("the agent works", () => scene.broker.turns()[0]?.state.kind === "running");
  return again(scene, more);
}

function again(scene: BrokerDeskScene, more: Partial<PermissionRequest> = {}) {
  const { signal } = new AbortController();
  return scene.permissions.ask(THREAD, { ...request(), ...more }, signal);
}

const view = (scene: BrokerDeskScene) =>
  viewOfTurn(scene.broker.turns()[0]!, { style: STYLE, mark: MARK, pings: [] })[0]!;
const wordOf = (answer: FirstAnswer) => "message" in answer ? answer.message.content ?? "" : "";

test("A.17.24, B.89, C.5: a permission is a person's press, and the message says afterwards who gave it", async (t) => {
  const scene = brokerDeskScene(t);
  const given = asked(scene);
  await scene.until("a person is asked", () => scene.permissions.open(THREAD) !== undefined);
  const before = view(scene);
  assert.match(before.content!, /✋ Waits for a permission: `make all`\n```\nmake -j8 all\n```/);
  assert.deepEqual(
    before.rows!.flat().map(({ label }) => label),
    ["Once", "Always in this conversation", "Deny", "Details"],
  );
  const answer = await scene.pressOn(before, "Once");
  assert.equal(answer.kind, "defer-update");
  assert.equal(await given, "once");
  await scene.rest();
  const after = view(scene);
  assert.match(after.content!, /✅ allowed once: `make all`, by <@7>/);
  assert.deepEqual(after.rows, []);
  assert.deepEqual(
    scene.audit.filter(({ event }) => event === "broker-button").map(({ fields }) => fields["by"]),
    ["discord:7"],
  );
  // Also when it is over.
  scene.prompts[0]!.end({ kind: "done", text: "built" });
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  const [last] = viewOfTurn(scene.seen.at(-1)!, { style: STYLE, mark: MARK, pings: [] });
  assert.match(last!.content!, /by <@7>\nbuilt$/);
});

test("a second press does not answer the question that comes next", async (t) => {
  const scene = brokerDeskScene(t);
  const first = asked(scene);
  await scene.until("a person is asked", () => scene.permissions.open(THREAD) !== undefined);
  const second = again(scene, { title: "rm -rf /", detail: "rm -rf /" });
  const shown = view(scene);
  await scene.pressOn(shown, "Once");
  assert.equal(await first, "once");
  const late = await scene.pressOn(shown, "Once", { user: BOB });
  assert.match(wordOf(late), /not asked any more/);
  assert.equal(scene.permissions.open(THREAD)?.title, "rm -rf /");
  await scene.pressOn(view(scene), "Deny", { user: BOB });
  assert.equal(await second, "deny");
  await scene.rest();
  assert.match(view(scene).content!, /❌ denied: `rm -rf \/`, by <@8>/);
});

test("always is said once; a no by silence is told as that", async (t) => {
  const scene = brokerDeskScene(t);
  const first = asked(scene);
  await scene.until("a person is asked", () => scene.permissions.open(THREAD) !== undefined);
  await scene.pressOn(view(scene), "Always in this conversation");
  assert.equal(await first, "always");
  assert.equal(await again(scene), "always");
  const silent = again(scene, { tool: "other", title: "another" });
  await scene.rest();
  scene.clock.advance(601_000);
  assert.equal(await silent, "deny");
  await scene.rest();
  assert.match(view(scene).content!, /allowed from now on: `make all`.*\n.*`another`, by silence/);
});

test("A.17.3: who may not talk to the bot may answer nothing, is told privately, and it is audited", async (t) => {
  const scene = brokerDeskScene(t);
  const given = asked(scene);
  await scene.until("a person is asked", () => scene.permissions.open(THREAD) !== undefined);
  for (const label of ["Once", "Deny", "Details"]) {
    const answer = await scene.pressOn(view(scene), label, { user: EVE });
    assert.ok(answer.kind === "message" && answer.message.ephemeral === true);
    assert.match(wordOf(answer), /You may not talk to this bot/);
  }
  const elsewhere = await scene.pressOn(view(scene), "Once", { channelId: "101" });
  assert.match(wordOf(elsewhere), /does not work in this channel/);
  assert.deepEqual(
    scene.audit.filter(({ event }) => event === "refused").map(({ fields }) => fields["command"]),
    ["allow", "refuse", "details", "allow"],
  );
  assert.ok(scene.permissions.open(THREAD));
  scene.permissions.forget(THREAD);
  assert.equal(await given, "deny");
});

test("only approvers answer where they are listed, by id or role; an empty list is nobody", async (t) => {
  const scene = brokerDeskScene(t);
  const given = asked(scene);
  await scene.until("a person is asked", () => scene.permissions.open(THREAD) !== undefined);
  scene.approvers.list = [];
  assert.match(wordOf(await scene.pressOn(view(scene), "Once")), /Nobody may allow that/);
  scene.approvers.list = [EVE, "55"];
  assert.match(wordOf(await scene.pressOn(view(scene), "Once")), /Only those whom/);
  assert.ok(scene.permissions.open(THREAD));
  const role = await scene.pressOn(view(scene), "Once", { user: "9", roles: ["55"] });
  assert.equal(role.kind, "defer-update");
  assert.equal(await given, "once");
});

test("what exactly is asked can be read in full, however long and whatever is in it", async (t) => {
  const scene = brokerDeskScene(t);
  const detail = `echo \`\`\` @everyone\n${"x".repeat(5_000)}\nrm -rf /`;
  const given = asked(scene, { detail });
  await scene.until("a person is asked", () => scene.permissions.open(THREAD) !== undefined);
  const shown = view(scene).content!;
  assert.ok(shown.length < 1_000 && !shown.includes("``` @"), shown);
  const answer = await scene.pressOn(view(scene), "Details");
  assert.ok(answer.kind === "message" && answer.message.ephemeral === true);
  const [file] = answer.message.files!;
  assert.match(new TextDecoder().decode(file!.bytes), /^make all\n\n[^]*rm -rf \/$/);
  scene.permissions.forget(THREAD);
  await given;
  const late = await scene.press("details", [THREAD, "200-1", "1"]);
  assert.match(wordOf(late), /not asked any more/);
});

test("a stuck turn is waited on or stopped by its buttons, each once", async (t) => {
  const scene = brokerDeskScene(t);
  scene.hear("m1", "build it");
  await scene.until("the agent works", () => scene.broker.turns()[0]?.state.kind === "running");
  scene.clock.advance(601_000);
  await scene.rest();
  assert.equal(scene.broker.turns()[0]!.state.kind, "stuck");
  const shown = view(scene);
  assert.match(wordOf(await scene.pressOn(shown, "Stop", { user: EVE })), /You may not talk/);
  assert.equal((await scene.pressOn(shown, "Wait on")).kind, "defer-update");
  assert.equal(scene.broker.turns()[0]!.state.kind, "running");
  assert.match(wordOf(await scene.pressOn(shown, "Wait on")), /moves again already/);
  // Without the press the grace would be over by now.
  scene.clock.advance(500_000);
  await scene.rest();
  assert.equal(scene.broker.turns()[0]!.state.kind, "running");
  scene.clock.advance(120_000);
  await scene.rest();
  assert.equal((await scene.pressOn(shown, "Stop", { user: BOB })).kind, "defer-update");
  await scene.until("it is over", () => scene.broker.turns().length === 0);
  assert.deepEqual(scene.seen.at(-1)!.state, { kind: "cancelled", by: "discord:8" });
  const [last] = viewOfTurn(scene.seen.at(-1)!, { style: STYLE, mark: MARK, pings: [] });
  assert.match(last!.content!, /🛑 Stopped by <@8>/);
  assert.match(wordOf(await scene.pressOn(shown, "Stop")), /That turn is over/);
});

test("A.17.25, B.87, C.12: the agent's standard error stands behind a button, after a restart as well", async (t) => {
  const first = brokerDeskScene(t);
  const failure = {
    kind: "gone",
    message: "The agent ended",
    code: 1,
    stderr: "Traceback ``` @everyone\nImportError: no module",
    hint: undefined,
  } as const;
  first.hear("m1", "build it");
  await first.until("the agent works", () => first.prompts.length === 1);
  first.prompts[0]!.end({ kind: "failed", failure, text: "" });
  await first.until("it is over", () => first.broker.turns().length === 0);
  first.broker.told(THREAD, "200-1");
  const [shown] = viewOfTurn(first.seen.at(-1)!, { style: STYLE, mark: MARK, pings: [] });
  const later = brokerDeskScene(t, { journal: first.journal });
  for (const scene of [first, later]) {
    const answer = await scene.pressOn(shown!, "Details", { user: BOB });
    assert.ok(answer.kind === "message" && answer.message.ephemeral === true);
    assert.match(wordOf(answer), /^```\nTraceback [^]*ImportError: no module\n```$/);
    assert.equal(wordOf(answer).match(/```/g)!.length, 2);
  }
  const unknown = await later.press("details", [THREAD, "200-9"]);
  assert.match(wordOf(unknown), /Nothing more is kept/);
});

test("buttons of another set-up are left to others; an action of a newer version is said so", async (t) => {
  const scene = brokerDeskScene(t);
  const answer = await scene.press("fly", [THREAD]);
  assert.match(wordOf(answer), /another version of herd/);
  const [event] = readEvent("INTERACTION_CREATE", {
    id: "80000000000000000",
    token: "t",
    application_id: "9",
    channel_id: "5",
    member: { user: { id: ALICE, username: "alice" }, roles: [] },
    type: 3,
    data: { component_type: 3, custom_id: "herd1:pick-models:zzz999:200:x", values: ["a", 7] },
    message: { id: "6", author: { id: "9", bot: true } },
  })!;
  assert.ok(event?.type === "interaction" && event.interaction.kind === "button");
  assert.deepEqual(event.interaction.values, ["a"]);
  assert.equal(scene.interactions.handle(event.interaction), false);
});
