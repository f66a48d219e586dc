import assert from "node:assert/strict";
import { test } from "node:test";
import { nextSigns, NOTHING_SHOWN, type ShownSigns } from "../../../lib/chat/next-signs.ts";
import { SIGN_TIMING, type SignStyle, wantedSigns } from "../../../lib/chat/signs.ts";
import type { ToolKind, ToolUse, Turn, TurnState } from "../../../lib/chat/turn.ts";
import { seeded } from "../../support/random-text.ts";

const STYLE: SignStyle = {
  enabled: true,
  removeAfterReply: false,
  emojis: {},
  timing: SIGN_TIMING,
};

function turn(state: TurnState, more: Partial<Turn> = {}): Turn {
  return {
    id: "t",
    conversation: "c",
    messages: ["m1"],
    state,
    startedAt: 0,
    activeAt: 0,
    tools: [],
    text: "",
    use: undefined,
    ...more,
  };
}

const running = { kind: "running" } as const;
const done = { kind: "done" } as const;

function tool(kind: ToolKind, title = "web_search bash"): ToolUse {
  return { id: kind, title, kind, status: "running" };
}

function failed(kind: "model" | "gone"): TurnState {
  const failure = { kind, message: "", code: undefined, stderr: "", hint: undefined };
  return { kind: "failed", failure };
}

function signOf(one: Turn, now = 0, style = STYLE): string | undefined {
  return wantedSigns(one, style, now).emojis.get("m1");
}

test("B.99: each state has its sign", () => {
  const cases: [TurnState, string][] = [
    [{ kind: "queued", ahead: 3 }, "👀"],
    [{ kind: "starting" }, "🤔"],
    [running, "🤔"],
    [{ kind: "asking", what: "rm" }, "✋"],
    [{ kind: "stuck", silentMs: 1 }, "🆘"],
    [done, "🆗"],
    [failed("model"), "❌"],
    [failed("gone"), "😱"],
    [{ kind: "cancelled", by: "x" }, "🛑"],
  ];
  for (const [state, emoji] of cases) assert.equal(signOf(turn(state)), emoji, state.kind);
});

test("B.104: a tool's sign goes by its kind, whatever its title says", () => {
  const cases: [ToolKind, string][] = [
    ["read", "👨‍💻"],
    ["edit", "👨‍💻"],
    ["delete", "👨‍💻"],
    ["move", "👨‍💻"],
    ["execute", "👨‍💻"],
    ["search", "🔥"],
    ["other", "🔥"],
    ["fetch", "⚡"],
    ["think", "🤔"],
  ];
  for (const [kind, emoji] of cases) {
    assert.equal(signOf(turn(running, { tools: [tool(kind)] })), emoji, kind);
  }
  const finished = { ...tool("fetch"), status: "completed" as const };
  assert.equal(signOf(turn(running, { tools: [finished] })), "🤔");
});

test("A.17.11, B.101: only silence of every kind makes it yawn; text that comes is activity", () => {
  const silent = turn(running, { activeAt: 0 });
  assert.equal(signOf(silent, 9_999), "🤔");
  assert.equal(signOf(silent, 10_000), "🥱");
  assert.equal(signOf(silent, 30_000), "😨");
  assert.equal(signOf(turn(running, { activeAt: 29_000, text: "more" }), 30_000), "🤔");
  assert.equal(signOf(turn(running, { tools: [tool("execute")] }), 600_000), "👨‍💻");
  assert.equal(wantedSigns(silent, STYLE, 0).changesAt, 10_000);
  assert.equal(wantedSigns(silent, STYLE, 10_000).changesAt, 30_000);
  assert.equal(wantedSigns(silent, STYLE, 30_000).changesAt, undefined);
});

test("A.17.12: every message gets 👀 while it waits; at the end only the last one has a sign", () => {
  const messages = ["m1", "m2", "m3"];
  const waiting = wantedSigns(turn({ kind: "queued", ahead: 0 }, { messages }), STYLE, 0);
  assert.deepEqual([...waiting.emojis.values()], ["👀", "👀", "👀"]);
  const first = nextSigns(NOTHING_SHOWN, waiting, 0);
  assert.equal(first.steps.length, 3);
  const working = nextSigns(first.shown, wantedSigns(turn(running, { messages }), STYLE, 0), 0);
  const later = nextSigns(working.shown, wantedSigns(turn(running, { messages }), STYLE, 700), 700);
  assert.deepEqual(later.steps, [
    { do: "add", message: "m3", emoji: "🤔" },
    { do: "remove", message: "m3", emoji: "👀" },
  ]);
  const end = nextSigns(later.shown, wantedSigns(turn(done, { messages }), STYLE, 800), 800);
  assert.deepEqual(end.steps[0], { do: "add", message: "m3", emoji: "🆗" });
  assert.deepEqual(end.shown.emojis, new Map([["m3", ["🆗"]]]));
});

test("A.17.12: with reactions off there is none, not even 👀, and what was there is taken away", () => {
  const off = { ...STYLE, enabled: false };
  for (const state of [{ kind: "queued", ahead: 0 } as const, running, done, failed("gone")]) {
    const wanted = wantedSigns(turn(state), off, 60_000);
    assert.deepEqual(nextSigns(NOTHING_SHOWN, wanted, 0).steps, []);
    assert.equal(wanted.changesAt, undefined);
    const before: ShownSigns = { emojis: new Map([["m1", ["👀"]]]), waiting: undefined };
    assert.equal(nextSigns(before, wanted, 0).shown.emojis.size, 0);
  }
});

test("B.100: a sign that does not last 700 ms is never shown, one that lasts is, at that moment", () => {
  let { shown } = nextSigns(NOTHING_SHOWN, wantedSigns(turn(running), STYLE, 0), 0);
  const coding = turn(running, { tools: [tool("edit")] });
  const held = nextSigns(shown, wantedSigns(coding, STYLE, 100), 100);
  assert.deepEqual(held.steps, []);
  assert.equal(held.wakeAt, 800);
  shown = nextSigns(held.shown, wantedSigns(turn(running), STYLE, 500), 500).shown;
  const again = nextSigns(shown, wantedSigns(coding, STYLE, 600), 600);
  assert.equal(again.wakeAt, 1_300);
  assert.deepEqual(nextSigns(again.shown, wantedSigns(coding, STYLE, 1_299), 1_299).steps, []);
  const at = nextSigns(again.shown, wantedSigns(coding, STYLE, 1_300), 1_300);
  assert.deepEqual(at.steps.map((step) => step.do), ["add", "remove"]);
});

test("the end, a question and a stuck turn are shown at once", () => {
  const { shown } = nextSigns(NOTHING_SHOWN, wantedSigns(turn(running), STYLE, 0), 0);
  const states: TurnState[] = [done, failed("model"), { kind: "asking", what: "" }];
  for (const state of states) {
    assert.equal(nextSigns(shown, wantedSigns(turn(state), STYLE, 1), 1).steps.length, 2);
  }
});

test("B.103: with remove_after_reply the last sign goes after its hold time, and says when", () => {
  const style = { ...STYLE, removeAfterReply: true };
  const cases: [TurnState, number][] = [[done, 1_500], [failed("model"), 2_500]];
  for (const [state, hold] of cases) {
    const one = turn(state);
    assert.equal(wantedSigns(one, style, hold - 1).changesAt, hold);
    const before = nextSigns(NOTHING_SHOWN, wantedSigns(one, style, 0), 0).shown;
    const gone = nextSigns(before, wantedSigns(one, style, hold), hold);
    assert.deepEqual(gone.steps.map((step) => step.do), ["remove"]);
    assert.equal(gone.wakeAt, undefined);
  }
});

test("B.100: emojis are the user's own; one for errors counts for every failure", () => {
  const style = { ...STYLE, emojis: { queued: "📥", error: "💥" } };
  assert.equal(signOf(turn({ kind: "queued", ahead: 0 }), 0, style), "📥");
  assert.equal(signOf(turn(failed("gone")), 0, style), "💥");
  assert.equal(signOf(turn(failed("model")), 0, style), "💥");
});

test("two signs with the same emoji are one: nothing is added twice or removed by mistake", () => {
  const style = { ...STYLE, emojis: { coding: "🤔" } };
  const { shown } = nextSigns(NOTHING_SHOWN, wantedSigns(turn(running), style, 0), 0);
  const same = wantedSigns(turn(running, { tools: [tool("edit")] }), style, 5_000);
  assert.deepEqual(nextSigns(shown, same, 5_000).steps, []);
});

test("a batch that changes its messages leaves nothing on those that went", () => {
  const two = wantedSigns(turn({ kind: "queued", ahead: 0 }, { messages: ["m1", "m2"] }), STYLE, 0);
  const { shown } = nextSigns(NOTHING_SHOWN, two, 0);
  const one = wantedSigns(turn({ kind: "queued", ahead: 0 }), STYLE, 0);
  assert.deepEqual(nextSigns(shown, one, 0).shown.emojis, new Map([["m1", ["👀"]]]));
});

test("whatever happens in between, the end is one sign on the last message, and never none on the way", () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = seeded(seed);
    let shown = NOTHING_SHOWN;
    let now = 0;
    const messages = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, i) => `m${i}`);
    const states: TurnState[] = [
      running,
      { kind: "asking", what: "" },
      { kind: "stuck", silentMs: 1 },
      { kind: "queued", ahead: 0 },
    ];
    for (let i = 0; i < 40; i++) {
      now += Math.floor(random() * 2_000);
      const state = i === 39 ? done : states[Math.floor(random() * states.length)]!;
      const tools = random() < 0.5 ? [tool("edit")] : [];
      const wanted = wantedSigns(turn(state, { messages, tools, activeAt: now }), STYLE, now);
      const next = nextSigns(shown, wanted, now);
      let had = shown.emojis.get(messages.at(-1)!)?.length ?? 0;
      for (const step of next.steps.filter(({ message }) => message === messages.at(-1))) {
        had += step.do === "add" ? 1 : -1;
        assert.ok(had > 0, `seed ${seed}: no sign for a moment`);
      }
      shown = next.shown;
    }
    assert.deepEqual(shown.emojis, new Map([[messages.at(-1)!, ["🆗"]]]), `seed ${seed}`);
  }
});
