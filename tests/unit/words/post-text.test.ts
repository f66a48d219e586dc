import assert from "node:assert/strict";
import test from "node:test";
import { limitText, spanText } from "../../../lib/words/duration-text.ts";
import { indicesText, totalsText, usdText } from "../../../lib/words/amount-text.ts";
import { joinFitting, keepBeginning, keepEnd, quoted } from "../../../lib/words/post-text.ts";
import { logText } from "../../../lib/words/log-text.ts";
import { reasonText } from "../../../lib/words/queue-reason.ts";

test("durations are short as on the user page", () => {
  const limits = [3600, 5400, 86_400, 90_061, 45, 0, null].map(limitText);
  assert.deepEqual(limits, ["1h", "1h30m", "1d", "1d1h1m1s", "45s", "0s", "UNLIMITED"]);
  const spans = [1, 40, 59.6, 1800, 5400, 86_399, 172_800, 180_000].map((s) => spanText(s * 1000));
  assert.deepEqual(spans, [
    "1 s",
    "40 s",
    "1 min",
    "30 min",
    "1 h 30 min",
    "1 day",
    "2 days",
    "2 days 2 h",
  ]);
  assert.equal(spanText(-5), "0 s");
});

test("amounts of money are never nothing when something was spent", () => {
  assert.deepEqual([0, 0.001, 0.42, 12].map(usdText), ["$0", "<$0.01", "$0.42", "$12"]);
});

test("totals name what there is, and that nothing failed once something might have", () => {
  assert.equal(
    totalsText({ total: 9, running: 4, completed: 5 }),
    "4 running, 5 completed, 0 failed",
  );
  assert.equal(totalsText({ total: 1, ready: 1 }), "1 ready");
  assert.equal(totalsText({ total: 2, failed: 1, ready: 1 }), "1 failed, 1 ready");
  assert.equal(totalsText({ total: 0 }), "no trials");
});

test("long lists of indices end at a comma", () => {
  const odd = Array.from({ length: 5000 }, (_, i) => i * 2);
  const text = indicesText(odd);
  assert.ok(text.length <= 121);
  assert.match(text, /,…$/);
  assert.equal(indicesText([1, 2, 3, 7]), "1-3,7");
});

test("G.5.31: a log that is too long keeps its newest lines, and no half character", () => {
  const text = Array.from({ length: 500 }, (_, i) => `line ${i}`).join("\n");
  const kept = keepEnd(text, 100);
  assert.ok(kept.length <= 100);
  assert.match(kept, /^…\nline \d+\n/);
  assert.match(kept, /line 499$/);
  for (let most = 10; most < 40; most++) {
    assert.ok(keepEnd("🐕".repeat(40), most).isWellFormed());
    assert.ok(keepBeginning("🐕".repeat(40), most).isWellFormed());
    assert.ok(quoted("🐕".repeat(40), most).isWellFormed());
    assert.ok(keepBeginning("🐕".repeat(40), most).length <= most);
    assert.ok(keepEnd("🐕".repeat(40), most).length <= most);
  }
});

test("what has no room is counted", () => {
  assert.equal(joinFitting(["a", "b"], 100), "a\nb");
  const many = joinFitting(Array.from({ length: 100 }, (_, i) => `row ${i}`), 60, "trial");
  assert.ok(many.length <= 60);
  assert.match(many, /^row 0\n(row \d+\n)+… and \d+ more trials$/);
  assert.equal(joinFitting(["x".repeat(100)], 40), "… and 1 more line");
});

test("a progress bar shows its latest state, and escape sequences are gone", () => {
  assert.equal(
    logText("\x1b[32mok\x1b[0m\n 10%\r 50%\r 90%\r\n\x1b]0;title\x07end\x00\x1b[2J"),
    "ok\n 90%\nend",
  );
});

test("reasons of the scheduler are explained where they need it", () => {
  assert.equal(reasonText("Priority"), "other jobs come first");
  assert.match(reasonText("QOSMaxJobsPerUserLimit")!, /what the site allows/);
  assert.equal(reasonText("SomethingNew"), undefined);
});
