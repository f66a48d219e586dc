import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeButton, encodeButton } from "../../../lib/discord/button-id.ts";
import { dashboardFacts } from "../../../lib/discord/dashboard-facts.ts";
import { dashboardView, offlineView } from "../../../lib/discord/dashboard-view.ts";
import { digestOf } from "../../../lib/discord/digest-view.ts";
import { brokenLimit } from "../../support/broken-limit.ts";
import type { Outgoing } from "../../../lib/discord/message.ts";
import {
  messagesOf,
  nonceOf,
  streamView,
  viewOfLog,
  viewOfSaid,
  viewOfSlash,
} from "../../../lib/discord/post-view.ts";
import type { Said, SaidKind } from "../../../lib/sweep/monitor-event.ts";
import { randomText, seeded } from "../../support/random-text.ts";
import { INFO, scriptedDesk } from "../../support/scripted-desk.ts";

const MARK = "abc123";
const KINDS: readonly SaidKind[] = [
  "agent",
  "running",
  "completed",
  "warning",
  "halving",
  "stopped",
];

/** Within every limit, whole, and pinging nobody. */
function assertFits(message: Outgoing, why: string): void {
  assert.equal(brokenLimit(message), undefined, why);
  // In a code block Discord reads no mention.
  const text = [JSON.stringify(message.embeds ?? []).replaceAll("\\n", "\n"), message.content ?? ""]
    .map((one) => one.replace(/```[^]*?```/g, "")).join("\n");
  assert.ok((message.content ?? "").isWellFormed(), why);
  assert.doesNotMatch(text, /@(everyone|here)/i, `${why}: ${text.slice(0, 3000)}`);
  const fences = (message.content ?? "").split("\n").filter((line) => /^```\w*\s*$/.test(line));
  assert.equal(fences.length % 2, 0, `${why}: half a fence`);
  assert.equal(message.pings, undefined, why);
}

test("G.5.31: whatever is said, each message fits Discord, is whole, and pings nobody", () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = seeded(seed);
    const text = `${randomText(random)}.`;
    const kind = KINDS[seed % KINDS.length]!;
    const said: Said = { key: `k${seed}`, kind, text, trials: [[seed, "failed"]] };
    const parts = viewOfSaid(said, { sweep: MARK, replyTo: "1" });
    assert.ok(parts.length >= 1 && parts.length <= 5, `${parts.length} parts`);
    for (const part of parts) assertFits(part, `seed ${seed}`);
    assert.equal(new Set(parts.map(({ nonce }) => nonce)).size, parts.length);
    assertFits(streamView(text, undefined), `stream ${seed}`);
    for (const code of [true, false]) {
      const attachment = { name: "all.txt", text };
      assertFits(
        viewOfSlash({ text: text.slice(0, 1900).toWellFormed(), code, attachment }),
        `slash ${seed}`,
      );
    }
    for (const part of viewOfLog(`trial ${seed}`, text)) assertFits(part, `log ${seed}`);
  }
});

test("G.5.31: a log keeps its newest lines", () => {
  const log = Array.from({ length: 2_000 }, (_, i) => `line ${i}`).join("\n");
  const [message] = viewOfLog("trial 3, stderr", log);
  assert.match(message!.content!, /line 1999\n```$/);
  assert.doesNotMatch(message!.content!, /line 12\n/);
  assert.equal(message!.files?.length, 1);
});

test("a text of more than a few messages is its beginning and a file with all of it", () => {
  const text = Array.from({ length: 3_000 }, (_, i) => `sentence number ${i}.`).join("\n");
  const [only, ...others] = messagesOf(text, "agent.md");
  assert.deepEqual(others, []);
  assert.equal(new TextDecoder().decode(only!.files![0]!.bytes), text);
});

test("a failure of one trial has buttons, of several it has none; a confirmation has Yes and No", () => {
  const said = (more: Partial<Said>): Said => ({ key: "k", kind: "warning", text: "x", ...more });
  const labels = (one: Said) =>
    viewOfSaid(one, { sweep: MARK }).flatMap(({ rows = [] }) =>
      rows.flat().map(({ label }) => label)
    );
  assert.deepEqual(labels(said({ trials: [[3, "failed"]] })), ["Log", "Thread", "Run again"]);
  assert.deepEqual(labels(said({ trials: [[3, "failed"], [4, "failed"]] })), []);
  assert.deepEqual(labels(said({ trials: [[3, "running"]] })), []);
  assert.deepEqual(labels(said({ confirmation: "c1-abc" })), ["Yes, do it", "No"]);
});

test("E.6, G.5.31: a dashboard fits at any number of trials and any length of names", () => {
  for (const trials of [0, 1, 20, 10_000]) {
    for (let seed = 0; seed < 6; seed++) {
      const random = seeded(seed + trials);
      const desk = scriptedDesk(trials, {
        name: () => (randomText(random, 8) || "x").slice(0, 100),
        info: () => ({
          ...INFO,
          sweep: randomText(random, 10).slice(0, 100),
          halted: seed % 2 === 0 ? randomText(random) : null,
          question: seed % 3 === 0 ? randomText(random) : null,
          model: { name: randomText(random, 3), ok: seed % 2 === 1, detail: randomText(random) },
          confirmations: Array.from({ length: 5 }, (_, i) => ({
            id: `c${i}`,
            what: randomText(random),
            why: "",
            expiresAt: 0,
          })),
        }),
      });
      for (const page of [0, 3, 100_000]) {
        const facts = dashboardFacts(desk, page, 1_700_000_000_000);
        assertFits(dashboardView(facts, MARK), `${trials} trials, seed ${seed}`);
        assertFits(offlineView(facts, randomText(random)), "offline");
      }
    }
  }
});

test("what matters comes first: failed trials, then running ones, over all pages each once", () => {
  const desk = scriptedDesk(50);
  const seen: number[] = [];
  const { pages } = dashboardFacts(desk, 0, 0);
  for (let page = 0; page < pages; page++) {
    seen.push(...dashboardFacts(desk, page, 0).trials.map(({ index }) => index));
  }
  assert.deepEqual([...seen].sort((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i));
  assert.equal(desk.trial(seen[0]!)!.status, "failed");
});

test("a digest tells every trial's last fate, and keeps questions and answers as posts of their own", () => {
  const said: Said[] = [
    ...Array.from({ length: 1_000 }, (_, i): Said => ({
      key: `r${i}`,
      kind: "running",
      text: `trial ${i} running`,
      trials: [[i, "running"]],
    })),
    {
      key: "c",
      kind: "completed",
      text: "done",
      trials: Array.from({ length: 900 }, (_, i) => [i, "completed"]),
    },
    {
      key: "f",
      kind: "warning",
      text: "2 failed: KeyError",
      trials: [[900, "failed"], [901, "failed"]],
    },
    { key: "q", kind: "agent", text: "May I?", confirmation: "c1-x" },
    { key: "a", kind: "agent", text: "An answer.", replyTo: "discord:5" },
  ];
  const late = said.map((one, i) => ({ seq: i + 1, at: i, said: one }));
  const parts = digestOf(late, {
    now: 3_600_000,
    sweep: MARK,
    view: ({ said }) => viewOfSaid(said, { sweep: MARK }),
  });
  for (const part of parts) assertFits(part, "digest");
  const text = parts.map(({ content }) => content).join("\n");
  assert.match(text, /^📬 1002 posts from the last 60 min|^📬 1002 posts from the last 1 h/);
  assert.match(text, /900 trials completed: 0-899/);
  assert.match(text, /2 trials failed: 900-901/);
  assert.match(text, /98 trials running: 902-999/);
  assert.match(text, /KeyError/);
  assert.deepEqual(parts.slice(-2).map(({ content }) => content), ["🐕 May I?", "🐕 An answer."]);
});

test("a button's id comes back whole, and what is not ours is nothing", () => {
  for (const args of [[], ["3"], ["a:b", "c%d", "ü 🐕"]]) {
    const id = encodeButton({ action: "do", sweep: MARK, args })!;
    assert.deepEqual(decodeButton(id), { action: "do", sweep: MARK, args });
  }
  assert.equal(encodeButton({ action: "do", sweep: MARK, args: ["x".repeat(100)] }), undefined);
  for (const id of ["", "x", "herd1", "herd1:do", "herd0:do:a", "herd1:%E0%A4%A:b"]) {
    assert.equal(decodeButton(id), undefined, id);
  }
});

test("a nonce is the same for the same part, another for any other, and short enough", () => {
  const all = [
    nonceOf("a", "k", 0),
    nonceOf("a", "k", 1),
    nonceOf("b", "k", 0),
    nonceOf("a", "l", 0),
  ];
  assert.equal(new Set(all).size, 4);
  assert.equal(nonceOf("a", "k", 0), all[0]);
  assert.ok(all.every((one) => one.length === 25));
});
