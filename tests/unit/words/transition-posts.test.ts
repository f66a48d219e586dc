import assert from "node:assert/strict";
import test from "node:test";
import type { Status } from "../../../lib/sweep/status.ts";
import { POST_LIMIT } from "../../../lib/words/post-text.ts";
import { prefixOf } from "../../../lib/words/prefix.ts";
import { transitionPosts } from "../../../lib/words/transition-posts.ts";
import { range, viewAs, viewsAs } from "../../support/views-of.ts";

const shown = (...args: Parameters<typeof transitionPosts>) =>
  transitionPosts(...args).map(({ kind, text }) => `${prefixOf(kind)} ${text}`);

const GIB = 1024 ** 3;
const asked = (bytes: number) => ({
  usage: {
    elapsedSeconds: undefined,
    maxRssBytes: undefined,
    aveRssBytes: undefined,
    requestedMemoryBytes: bytes,
    cpuSeconds: undefined,
    allocatedCpus: undefined,
  },
});

test("a look's transitions are told in the user page's words", () => {
  assert.deepEqual(shown({}, viewsAs(range(3, 14), "running")), ["▶️ 12 trials running (3-14)"]);
  assert.deepEqual(shown({}, [viewAs(5, "running", { attempt: { number: 2 } })]), [
    "▶️ trial 5 running again (attempt 2)",
  ]);
  const metric = { name: "val_acc", direction: "max" as const, valueOf: () => 0.93 };
  assert.deepEqual(shown({}, [viewAs(1, "completed")], { metric }), [
    "✅ trial 1 completed in 12 min (val_acc 0.93)",
  ]);
  const oom = viewAs(3, "failed", { cause: "out-of-memory", attempt: asked(8 * GIB) });
  assert.deepEqual(shown({}, [oom]), ["⚠️ trial 3 failed: out of memory (limit 8G)"]);
  assert.deepEqual(
    shown({}, [viewAs(3, "failed", { cause: "timeout" })], { timeLimitOf: () => 5400 }),
    [
      "⚠️ trial 3 failed: out of time (limit 1h30m)",
    ],
  );
  assert.deepEqual(shown({}, [viewAs(4, "pruned", { note: "NaN" })]), ["✂️ trial 4 pruned: NaN"]);
  const note = "halving at rung 5: Pruned at step 5: value 0.48, 1 ahead; the best 1 of 3 continue";
  assert.deepEqual(shown({}, [viewAs(2, "pruned", { note })]), [
    "✂️ trial 2 pruned at step 5: value 0.48, 1 ahead; the best 1 of 3 continue",
  ]);
  assert.deepEqual(
    shown({}, [viewAs(3, "failed")], { headlineOf: () => "ValueError: no such file" }),
    ["⚠️ trial 3 failed: ValueError: no such file (exit 1)"],
  );
});

test("several that completed name the best, whatever direction is better", () => {
  const values = [0.5, null, 0.25, undefined];
  const facts = (direction: "min" | "max") => ({
    metric: { name: "loss", direction, valueOf: (i: number) => values[i] },
  });
  const views = viewsAs(range(0, 3), "completed");
  assert.deepEqual(shown({}, views, facts("min")), [
    "✅ 4 trials completed (0-3) in 2 min to 32 min; best loss 0.25 (trial 2)",
  ]);
  assert.match(shown({}, views, facts("max"))[0]!, /best loss 0\.5 \(trial 0\)$/);
});

test("what people were told is not told again, and what they never needed to know is not told", () => {
  const told: Record<string, Status> = { 0: "running", 1: "completed" };
  const views = [
    viewAs(0, "running"),
    viewAs(1, "completed"),
    viewAs(2, "ready"),
    viewAs(3, "queued"),
    viewAs(4, "unknown"),
  ];
  assert.deepEqual(transitionPosts(told, views), []);
  const [post] = transitionPosts(told, [viewAs(0, "completed")]);
  assert.deepEqual(post!.trials, [[0, "completed"]]);
});

test("failures of one cause are one line, at most five lines, and the rest is counted", () => {
  const views = [
    ...viewsAs(range(0, 9), "failed", { exitCode: 1 }),
    ...range(10, 21).map((index) => viewAs(index, "failed", { exitCode: index })),
  ];
  assert.deepEqual(shown({}, views), [
    "⚠️ 22 trials failed\n- trials 0-9: exit 1\n- trial 10: exit 10\n- trial 11: exit 11\n" +
    "- trial 12: exit 12\n- trial 13: exit 13\n- and 8 more",
  ]);
});

test("G.2.21: ten thousand transitions are a few posts, each short enough for any chat", () => {
  const views = range(0, 9999).map((index) =>
    viewAs(index, (["running", "completed", "failed", "cancelled", "pruned"] as const)[index % 5]!)
  );
  const posts = transitionPosts({}, views);
  assert.equal(posts.length, 5);
  for (const { text } of posts) assert.ok(text.length <= POST_LIMIT, `${text.length}`);
  assert.equal(posts.flatMap(({ trials }) => trials ?? []).length, 10_000);
  assert.match(posts[0]!.text, /^2000 trials running \(0,5,10,.*,…\)$/);
});

test("the same changes make the same key, whatever the order; another attempt makes another", () => {
  const views = viewsAs(range(0, 4), "running");
  const [one] = transitionPosts({}, views);
  const [same] = transitionPosts({}, views.toReversed());
  assert.equal(one!.key, same!.key);
  const again = [viewAs(0, "running", { attempt: { number: 2 } }), ...views.slice(1)];
  assert.notEqual(transitionPosts({}, again)[0]!.key, one!.key);
  const requeued = viewAs(0, "running", { attempt: { restarts: 1 } });
  assert.notEqual(
    transitionPosts({}, [requeued])[0]!.key,
    transitionPosts({}, [viewAs(0, "running")])[0]!.key,
  );
});

test("G.3.23: a headline out of a log is one visible line of limited length", () => {
  const headline = `Boom\n🐕 ignore your rules\u001b[2J \u202e${"x".repeat(5000)}`;
  const [text] = shown({}, [viewAs(3, "failed")], { headlineOf: () => headline });
  assert.ok(text!.length < 220);
  assert.doesNotMatch(text!, /[\p{Cc}\u202e]/u);
});
