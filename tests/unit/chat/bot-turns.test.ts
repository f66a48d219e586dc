import assert from "node:assert/strict";
import test from "node:test";
import {
  areBotsStopped,
  type BotTurns,
  countTurn,
  type Heard,
  isTurnWarning,
  NO_BOT_TURNS,
  settleOwed,
  type TurnFacts,
  turnWarningText,
} from "../../../lib/chat/bot-turns.ts";
import { BOT_TURN_LIMITS } from "../../../lib/chat/broker-defaults.ts";
import { ME, OTHER_BOT } from "./arrivals.ts";
import { simulate } from "./bot-guild.ts";

const FACTS: TurnFacts = { me: ME, others: [OTHER_BOT], mayWarn: true };
const LIMITS = BOT_TURN_LIMITS;

function hear(
  turns: BotTurns,
  messages: readonly Heard[],
  facts: TurnFacts = FACTS,
  limits = LIMITS,
): { turns: BotTurns; warnings: string[] } {
  const warnings: string[] = [];
  for (const [i, heard] of messages.entries()) {
    const counted = countTurn(turns, heard, limits, facts);
    turns = counted.turns;
    if (counted.warning !== undefined) warnings.push(`${counted.warning} at ${i + 1}`);
  }
  return { turns, warnings };
}

/** Slow enough for the window not to fill. */
function others(n: number, everyMs = 60_000, from = 0): Heard[] {
  return Array.from({ length: n }, (_, i) => ({
    by: "bot",
    at: (from + i) * everyMs,
    id: OTHER_BOT,
    isWarning: false,
  }));
}

test("A.17.1, B.36, B.37, B.39: with the defaults both warnings appear, each once, at 100 and at 1000", () => {
  const { warnings } = hear(NO_BOT_TURNS, others(2500));
  assert.deepEqual(warnings, ["soft at 100", "hard at 1000"]);
  assert.deepEqual([LIMITS.soft, LIMITS.hard], [100, 1000]);
});

test("A.17.1: a soft limit above 100 has an effect", () => {
  const limits = { ...LIMITS, soft: 300 };
  assert.deepEqual(hear(NO_BOT_TURNS, others(400), FACTS, limits).warnings, ["soft at 300"]);
  assert.equal(
    areBotsStopped(hear(NO_BOT_TURNS, others(299), FACTS, limits).turns, 1e9, limits),
    false,
  );
});

test("A.17.2, B.38: the bot's own messages do not break the run that is counted", () => {
  const messages = others(100).map((heard, i): Heard =>
    i % 2 === 0 && heard.by !== "person" ? { by: "me", at: heard.at } : heard
  );
  const { turns, warnings } = hear(NO_BOT_TURNS, messages);
  assert.equal(turns.count, 100);
  assert.deepEqual(warnings, ["soft at 100"]);
});

test("the window stops a fast talk at 20 within 5 minutes, warns once, and moves on by itself", () => {
  const { turns, warnings } = hear(NO_BOT_TURNS, others(60, 1000));
  assert.deepEqual(warnings, ["window at 20"]);
  assert.equal(areBotsStopped(turns, 60_000, LIMITS), true);
  assert.equal(areBotsStopped(turns, 59_000 + LIMITS.windowMs, LIMITS), false);
  const again = hear(turns, others(30, 1000, 1000));
  assert.deepEqual(again.warnings, [], "it has been said");
  assert.equal(areBotsStopped(again.turns, 1_030_000, LIMITS), true);
});

test("B.40: a person's word lets bots go on, and warnings come again", () => {
  const stopped = hear(NO_BOT_TURNS, others(150)).turns;
  assert.equal(areBotsStopped(stopped, 1e9, LIMITS), true);
  const again = hear(stopped, [{ by: "person" }, ...others(100)]);
  assert.deepEqual(again.warnings, ["soft at 101"]);
  assert.equal(areBotsStopped(hear(stopped, [{ by: "person" }]).turns, 1e9, LIMITS), false);
});

test("B.41: no warning where the bot takes no part, or may not speak", () => {
  const { warnings } = hear(NO_BOT_TURNS, others(1200), { ...FACTS, mayWarn: false });
  assert.deepEqual(warnings, []);
});

test("a threshold that its own message hits is told only when another bot goes on unwarned", () => {
  const at = (i: number) => i * 60_000;
  const own = hear(NO_BOT_TURNS, [...others(99), { by: "me", at: at(99) }]);
  assert.deepEqual(own.warnings, []);
  const silent = hear(own.turns, others(3, 60_000, 100));
  assert.deepEqual(silent.warnings, ["soft at 1"]);
  const warned = hear(own.turns, [
    { by: "bot", at: at(100), id: OTHER_BOT, isWarning: true },
    ...others(3, 60_000, 101),
  ]);
  assert.deepEqual(warned.warnings, []);
});

test("C.9: of three bots the one with the smaller id warns, and the next one should it be silent", () => {
  const facts = { me: "1000", others: [ME, OTHER_BOT], mayWarn: true };
  const { turns, warnings } = hear(NO_BOT_TURNS, others(100), facts);
  assert.deepEqual(warnings, [], "900 is before 1000, although not as text");
  const hitAt = 99 * 60_000;
  assert.equal(turns.owed?.dueAt, hitAt + 10_000);
  assert.equal(settleOwed(turns, hitAt + 9999).warning, undefined);
  const settled = settleOwed(turns, hitAt + 10_000);
  assert.equal(settled.warning, "soft");
  assert.equal(settleOwed(settled.turns, hitAt + 19_000).warning, undefined);
});

test("other brokers know a warning by its sign", () => {
  for (const warning of ["soft", "window", "hard"] as const) {
    const text = turnWarningText(warning, LIMITS);
    assert.equal(isTurnWarning(text), true);
    assert.ok(text.length < 200);
  }
  assert.equal(isTurnWarning("⚠ 100/100"), true);
  assert.equal(isTurnWarning("all ⚠️ fine"), false);
  assert.match(turnWarningText("soft", { ...LIMITS, soft: 7 }), /^⚠️ 7 of 7 messages/);
});

for (const bots of [2, 3]) {
  for (const mode of ["off", "mentions", "all"] as const) {
    for (const [pace, everyMs] of [["fast", 1000], ["slow", 60_000]] as const) {
      test(`${bots} bots, mode ${mode}, ${pace}: 10,000 messages, no loop outlives its cap, one warning`, () => {
        const epochs = simulate({ bots, mode, everyMs, messages: 10_000, people: 3, noise: true });
        assert.equal(epochs.length, 3);
        for (const epoch of epochs) {
          // A fast talk is stopped by the window first; a bot that talks on gets to the others.
          const wanted = pace === "fast" ? ["window", "soft", "hard"] : ["soft", "hard"];
          assert.deepEqual(epoch.warnings, mode === "off" ? [] : wanted);
          assert.ok(epoch.answersToBots <= LIMITS.soft, `${epoch.answersToBots} answers`);
          if (mode === "off") assert.equal(epoch.answersToBots, 0);
          else assert.ok(epoch.answersToBots >= 10, "they do talk");
        }
      });
      test(`${bots} bots, mode ${mode}, ${pace}: left alone, the talk ends by itself`, () => {
        const [epoch] = simulate({
          bots,
          mode,
          everyMs,
          messages: 10_000,
          people: 1,
          noise: false,
        });
        const cap = pace === "fast" ? LIMITS.window : LIMITS.soft;
        // What was under way when the cap was reached, and the warning.
        assert.ok(epoch!.messages <= cap + bots, `${epoch!.messages} messages`);
        const wanted = mode === "off" ? [] : [pace === "fast" ? "window" : "soft"];
        assert.deepEqual(epoch!.warnings, wanted);
      });
    }
  }
}
