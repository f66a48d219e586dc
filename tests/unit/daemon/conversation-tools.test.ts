import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Arrival } from "../../../lib/chat/arrival.ts";
import { createWaits } from "../../../lib/chat/create-waits.ts";
import { createConversationTools } from "../../../lib/daemon/conversation-tools.ts";
import { createWaitSubjects } from "../../../lib/daemon/wait-subjects.ts";
import type { Right } from "../../../lib/discord/access.ts";
import { arrival, chatScene } from "../../support/chat-scene.ts";
import { scriptedDesk } from "../../support/scripted-desk.ts";

const NEVER = new AbortController().signal;
const BOB = { id: "8", name: "bob", displayName: "Bob", isBot: false, roles: [] };

/** Conversation 200 below the channel 100 of a sweep; alice (7) may act there, bob (8) may look. */
function toolsScene(t: TestContext) {
  const scene = chatScene(t);
  const desk = scriptedDesk(4, {
    attempts: (index) => [{ number: 1, phase: index === 0 ? "running" : "ended" }],
  });
  const world = { isHeld: true, rights: { "7": ["look", "act"], "8": ["look"] } as Rights };
  const audit: Record<string, unknown>[] = [];
  const subjects = createWaitSubjects({
    sweepIn: (path) => path === desk.path ? desk : undefined,
    pool: () => undefined,
  });
  const log = (event: string, fields: Readonly<Record<string, unknown>>) =>
    void audit.push({ event, ...fields });
  const waits = createWaits({
    ...{ state: scene.state, append: scene.append, broker: scene.broker, clock: scene.clock },
    post: () => Promise.resolve(undefined),
    watch: subjects,
    rules: () => ({ channels: "all", directMessages: true }),
    me: () => "900",
    audit: log,
    log() {},
  });
  const tools = createConversationTools({
    ...{ name: "herd", waits, subjects, clock: scene.clock, audit: log },
    me: () => "900",
    find: (id) => scene.state().conversations.get(id),
    sweepAt: (channelId) =>
      channelId !== "100" || !world.isHeld ? undefined : {
        desk,
        channelId,
        trialOf: () => undefined,
        may: (user, right) =>
          Promise.resolve(
            world.rights[user]?.includes(right)
              ? { may: true }
              : { may: false, why: "Only operators may do that" },
          ),
      },
  });
  const one = { id: "200", place: arrival("0", "").place };
  let said = 0;
  return {
    ...scene,
    ...{ desk, world, audit, tools, waits, one },
    names: () => tools.of(one).map(({ name }) => name),
    /** These are what the agent is at. */
    async turn(...messages: Partial<Arrival>[]) {
      for (const more of messages) scene.hear(`h${++said}`, "please", more);
      await scene.until("a turn runs", () => scene.broker.turns().length === 1);
    },
    async run(name: string, input: unknown = {}) {
      return (await tools.of(one).find((tool) => tool.name === name)!.run(input, NEVER)).text;
    },
  };
}

type Rights = Record<string, readonly Right[] | undefined>;

test("tools act in the name of who asked, as a model does, and each use is in the audit", async (t) => {
  const { turn, run, desk, audit } = toolsScene(t);
  await turn({});
  await run("stop_trials", { trials: "0", reason: "alice asked" });
  const by = "broker:herd:discord:7";
  assert.deepEqual(desk.acted.map((one) => one.by), [by]);
  assert.deepEqual(audit, [{
    event: "tool",
    by,
    conversation: "200",
    tool: "stop_trials",
    input: '{"trials":"0","reason":"alice asked"}',
  }]);
});

test("who may only look has nothing done, also when somebody who may asks at the same time", async (t) => {
  const { turn, run, desk, audit } = toolsScene(t);
  await turn({ author: BOB });
  assert.match(await run("read_state"), /mark=/);
  assert.match(
    await run("stop_trials", { trials: "0", reason: "asked" }),
    /Refused for <@8>: Only oper/,
  );
  assert.deepEqual(desk.acted, []);
  assert.equal(audit[1]!["refused"], "Refused for <@8>: Only operators may do that");
});

test("all of a turn's messages count, and those of a wait for whom it was set", async (t) => {
  const both = toolsScene(t);
  both.hear("first", "wait for me");
  await both.until("a turn", () => both.prompts.length === 1);
  both.hear("a", "one");
  both.hear("b", "two", { author: BOB });
  both.prompts[0]!.end({ kind: "done", text: "x" });
  await both.until("the next", () => both.prompts.length === 2);
  assert.match(await both.run("halt", { reason: "asked" }), /Refused for <@8>/);

  const woken = toolsScene(t);
  const herd = { id: "900", name: "herd", displayName: "herd", isBot: false, roles: [] };
  await woken.turn({ author: herd, for: ["8"] });
  assert.match(await woken.run("halt", { reason: "asked" }), /Refused for <@8>/);

  const clock = toolsScene(t);
  await clock.turn({ author: herd });
  assert.match(await clock.run("halt", { reason: "asked" }), /^Done/);
  assert.equal(clock.desk.acted[0]!.by, "broker:herd:clock");
});

test("another bot may have it look, and nothing done", async (t) => {
  const { turn, run, desk } = toolsScene(t);
  await turn({ author: { ...BOB, id: "77", isBot: true } });
  assert.match(await run("read_state"), /mark=/);
  assert.match(await run("run_trials"), /a bot asked for it/);
  assert.deepEqual(desk.acted, []);
});

test("after the turn, and when the sweep is gone, tools say so", async (t) => {
  const { turn, run, prompts, until, broker, world, one, tools } = toolsScene(t);
  const kept = tools.of(one).find(({ name }) => name === "read_state")!;
  assert.match(await run("read_state"), /No turn of this conversation runs/);
  await turn({});
  world.isHeld = false;
  assert.match((await kept.run({}, NEVER)).text, /No sweep of this channel is monitored now/);
  assert.match(await run("wait", { seconds: 60, trial: 0 }), /No sweep of this channel/);
  prompts[0]!.end({ kind: "done", text: "x" });
  await until("it is over", () => broker.turns().length === 0);
  assert.match(await run("wait", { seconds: 60 }), /No turn of this conversation runs/);
});

test("elsewhere there is nothing but waiting, and no agent waits inside of a tool", (t) => {
  const { names, tools } = toolsScene(t);
  assert.ok(names().includes("read_state") && !names().includes("wait_for_event"));
  const place = { ...arrival("0", "").place, channelId: "999" };
  const others = tools.of({ id: "300", place }).map(({ name }) => name);
  assert.deepEqual(others, ["wait", "list_waits", "cancel_wait"]);
});

test("waits are set, listed and cancelled; what is over already is said at once", async (t) => {
  const { turn, run, waits } = toolsScene(t);
  await turn({ author: BOB });
  assert.match(
    await run("wait", { seconds: 60, trial: 1 }),
    /Nothing to wait for: Trial 1 .*ended/,
  );
  assert.match(await run("wait", { seconds: 60, trial: 99 }), /no such trial/);
  assert.match(await run("wait", { seconds: 60, stage: true }), /No stage runs now: .*"live"/);
  assert.match(await run("wait", { seconds: 60, task: "t1" }), /no pool runs here/);
  assert.match(await run("wait", { seconds: 60, trial: 0, task: "t1" }), /several things at once/);
  assert.match(await run("wait", { seconds: 1 }), /5/);
  assert.equal(await run("list_waits"), "This conversation waits for nothing.");
  assert.match(await run("wait", { seconds: 60, trial: 0, note: "then plot" }), /^Done: w/);
  const [wait] = waits.of("200");
  assert.deepEqual([wait!.for, wait!.note], [["8"], "then plot"]);
  assert.match(
    await run("list_waits"),
    /trial 0 of "lr" ends, for at most 1 min; note: "then plot"/,
  );
  assert.match(await run("cancel_wait", { id: "nope" }), /none of that id/);
  assert.match(await run("cancel_wait", { id: wait!.id }), /is cancelled/);
  assert.deepEqual(waits.of("200"), []);
});
