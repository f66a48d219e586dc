import assert from "node:assert/strict";
import test from "node:test";
import type { WishOverrides } from "../../../lib/tasks/pool-desk.ts";
import { parseTaskText } from "../../../lib/tasks/task-text.ts";
import type { TaskWish } from "../../../lib/tasks/task.ts";

const VOCABULARY = {
  models: ["cheap", "primary", "coder", "research"],
  backends: ["openrouter", "claude"],
  workers: ["gpu-1", "Login", "a100"],
  longestTask: 32_000,
};

const PLAIN: Omit<TaskWish, "text"> = {
  model: undefined,
  thinking: undefined,
  worker: undefined,
  timeoutMs: undefined,
  priority: 0,
  sandbox: undefined,
  key: undefined,
};

function parse(text: string, overrides: WishOverrides = {}): TaskWish {
  const parsed = parseTaskText(text, overrides, VOCABULARY);
  if ("refused" in parsed) assert.fail(parsed.refused.join("\n"));
  return parsed.wish;
}

function refused(text: string, overrides: WishOverrides = {}): readonly string[] {
  const parsed = parseTaskText(text, overrides, VOCABULARY);
  return "refused" in parsed
    ? parsed.refused
    : assert.fail(`taken: ${JSON.stringify(parsed.wish)}`);
}

test("a text without tags is the task, each character of it", () => {
  for (
    const text of ["Look at a[model] and [todo: x]\n", "  indented\r\n\ttoo  ", "[modle:cheap] x"]
  ) {
    assert.deepEqual(parse(text), { text, ...PLAIN });
  }
});

test("every kind of tag is read, in any case and order, anywhere", () => {
  const wish = parse(
    "[Timeout: 30m]Review [MODEL:Coder] this [thinking:HIGH] code [worker:login] " +
      "[priority:urgent] now [sandbox:Read-Only] [key: nightly 7]",
  );
  assert.deepEqual(wish, {
    text: "Review this code now",
    model: "coder",
    thinking: "high",
    worker: "Login",
    timeoutMs: 1_800_000,
    priority: 100,
    sandbox: "read-only",
    key: "nightly 7",
  });
});

test("a tag goes with the blanks that set it apart, and takes nothing else along", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["[model:cheap] Do it", "Do it"],
    ["Do it [model:cheap]", "Do it"],
    ["Do [model:cheap] it", "Do it"],
    ["Do it[model:cheap].", "Do it."],
    ["Do  it [model:cheap]  well", "Do  it well"],
    ["[model:cheap] [thinking:low]\nDo it", "Do it"],
    ["Do\n[model:cheap]\nit", "Do\nit"],
    ["Do\n  [model:cheap]\t\r\nit", "Do\nit"],
    ["Do\n\n[model:cheap]\n\nit", "Do\n\n\nit"],
    ["Do it\n[model:cheap]", "Do it"],
    ["Do it\n[model:cheap]\n[key:a]", "Do it"],
    ["[key:a]\n[model:cheap]\nDo it", "Do it"],
    ["Do it [model:cheap] \n  then that", "Do it\n  then that"],
    ["[model:cheap]\n    indented code", "    indented code"],
  ];
  for (const [text, expected] of rows) assert.equal(parse(text).text, expected, text);
});

test("the first tag of a kind counts, and all of that kind are taken out", () => {
  const wish = parse("[model:cheap] a [model:nonsense] b [MODEL:coder]");
  assert.equal(wish.model, "cheap");
  assert.equal(wish.text, "a b");
});

test("what the command line says wins over a tag, even over a wrong one", () => {
  const wish = parse("[model:nonsense] x [timeout:1h] [key:a]", {
    model: "research",
    timeoutMs: "90s",
    key: "b",
    priority: "-20",
  });
  assert.deepEqual(wish, {
    ...PLAIN,
    text: "x",
    model: "research",
    timeoutMs: 90_000,
    key: "b",
    priority: -20,
  });
  assert.match(refused("x", { model: "reserch" })[0]!, /did you mean "research"/);
  assert.match(refused("x [model:cheap]", { model: "" })[0]!, /found nothing/);
});

test("a model of a backend is taken with its whole name", () => {
  assert.equal(parse("x [model:openrouter/qwen/qwen3:free]").model, "openrouter/qwen/qwen3:free");
  assert.equal(parse("x [model:OpenRouter/Qwen]").model, "openrouter/Qwen");
  for (
    const wrong of [
      "openrouter/",
      "/x",
      "openruter/x",
      "openrouter/a b",
      "openrouter/é",
      "openrouter",
    ]
  ) {
    assert.match(refused(`x [model:${wrong}]`)[0]!, /^Cannot read the model/, wrong);
  }
  assert.equal(refused(`x [model:openrouter/${"a".repeat(201)}]`).length, 1);
});

test("an unknown value is refused with the valid ones and the nearest", () => {
  const rows: readonly (readonly [string, string])[] = [
    [
      "[model:chep]",
      'Cannot read the model: found "chep" (did you mean "cheap"?), valid is "cheap", "primary", ' +
      '"coder" or "research", or BACKEND/MODEL with the backend "openrouter" or "claude"',
    ],
    [
      "[thinking:hihg]",
      'Cannot read the thinking: found "hihg" (did you mean "high"?), valid is "off", "low", "medium" or "high"',
    ],
    [
      "[worker:gpu-2]",
      'Cannot read the worker: found "gpu-2" (did you mean "gpu-1"?), valid is "gpu-1", "Login" or "a100"',
    ],
    [
      "[sandbox:readonly]",
      'Cannot read the sandbox: found "readonly" (did you mean "read-only"?), valid is "none", "workspace" or "read-only"',
    ],
    [
      "[priority:hgih]",
      'Cannot read the priority: found "hgih" (did you mean "high"?), valid is "low", "normal", "high" or "urgent", or a whole number from -100 to 100',
    ],
    [
      "[timeout:soon]",
      'Cannot read the timeout: found "soon", valid is 1800 or "1800s" (seconds), "30m", "1h30m", "2d", "HH:MM:SS" or "D-HH:MM:SS"',
    ],
  ];
  for (const [tag, expected] of rows) assert.deepEqual(refused(`x ${tag}`), [expected]);
});

test("every mistake of a text is told at once", () => {
  assert.equal(refused("[model:a] [thinking:b] [timeout:c] [priority:d]").length, 5);
});

test("a worker is refused in plain words while there is none, and any word will do where none can be known", () => {
  const none = { ...VOCABULARY, workers: [] };
  const parsed = parseTaskText("x [worker:gpu]", {}, none);
  assert.deepEqual(parsed, {
    refused: ['Cannot read the worker: found "gpu", valid is nothing: no worker is enrolled yet'],
  });
  const open = parseTaskText("x [worker:gpu]", {}, { ...VOCABULARY, workers: undefined });
  assert.ok("wish" in open && open.wish.worker === "gpu");
});

test("timeouts reach from 1 second to 7 days", () => {
  assert.equal(parse("x [timeout:7d]").timeoutMs, 604_800_000);
  assert.equal(parse("x [timeout:1]").timeoutMs, 1000);
  assert.match(refused("x [timeout:8d]")[0]!, /1 second to 7 days/);
  assert.match(refused("x [timeout:0]")[0]!, /1 second to 7 days/);
});

test("priorities are words or whole numbers from -100 to 100", () => {
  const rows: readonly (readonly [string, number])[] = [
    ["low", -50],
    ["normal", 0],
    ["High", 50],
    ["+7", 7],
    ["-100", -100],
    ["-0", 0],
  ];
  for (const [word, n] of rows) {
    assert.ok(Object.is(parse(`x [priority:${word}]`).priority, n), word);
  }
  for (const wrong of ["101", "-101", "1.5", "1e1", "NaN", "", "constructor"]) {
    assert.equal(refused(`x [priority:${wrong}]`).length, 1, wrong);
  }
});

test("names of JavaScript's own are no names here", () => {
  for (const word of ["constructor", "__proto__", "toString"]) {
    assert.equal(refused(`x [model:${word}] [thinking:${word}] [worker:${word}]`).length, 3);
    assert.equal(parse(`x [${word}:y]`).text, `x [${word}:y]`);
  }
});

test("what stands in code is text", () => {
  const texts = [
    "Explain `[model:cheap]` to me",
    "Explain ``a ` [model:cheap]`` to me",
    "See\n```yaml\n[model:cheap]\n```\nthere",
    "See\n````\n```\n[model:cheap]\n```\n````",
    "See ```[model:cheap]``` there",
    "~~~\n[model:cheap]\n~~~",
    "```\n`unclosed\n[model:cheap]\n`````",
    "\\[model:cheap] is a tag",
  ];
  for (const text of texts) assert.deepEqual(parse(text), { ...PLAIN, text }, text);
});

test("what only looks like code is none", () => {
  const texts = [
    "a ` b [model:cheap]",
    "``` [model:cheap]",
    "a `x` [model:cheap] `y`",
    "a \\`[model:cheap]\\` b",
    "first ` one\n\nsecond [model:cheap] ` one",
    "``a` [model:cheap]",
    "```\n[model:cheap]\n``",
    "\\\\[model:cheap] x",
  ];
  for (const text of texts) assert.equal(parse(text).model, "cheap", text);
});

test("a text of nothing but tags, or of nothing, is refused", () => {
  assert.match(refused("[model:cheap] [thinking:low]")[0]!, /no text beside its tags/);
  assert.match(refused(" \n\t ")[0]!, /it has no text/);
  assert.match(refused("")[0]!, /it has no text/);
});

test("what could not reach an agent as it is written is refused", () => {
  assert.match(refused("a\0b")[0]!, /character 2 is NUL/);
  assert.match(refused("a\uD800b")[0]!, /a surrogate stands alone/);
  assert.match(refused("\uDC00")[0]!, /a surrogate stands alone/);
  assert.match(refused("x".repeat(32_001))[0]!, /it has 32001 characters, at most 32000/);
  assert.equal(parse("😀".repeat(20_000)).text.length, 40_000);
});

test("D.11.13: bars and line breaks in a task shift no field", () => {
  const text = "discord-1|text|primary|low\nsecond | line\r\nthird\u2028fourth";
  assert.deepEqual(parse(`${text} [model:coder]`), { ...PLAIN, text, model: "coder" });
});

test("D.11.14: a tag's value with a command in it is refused, never handed on", () => {
  const commands = [
    "low; rm -rf ~",
    "low\nrm -rf ~",
    "$(id)",
    "`id`",
    "low && id",
    "low|id",
    "low\0",
  ];
  for (const command of commands) {
    for (const kind of ["thinking", "model", "worker", "timeout", "priority", "sandbox"]) {
      const parsed = parseTaskText(`x [${kind}:${command}]`, {}, VOCABULARY);
      if ("refused" in parsed) continue;
      // In backticks it is code, thus text.
      assert.deepEqual(parsed.wish, { ...PLAIN, text: `x [${kind}:${command}]` });
      assert.equal(command, "`id`");
    }
  }
  assert.match(
    refused("x [thinking:low; rm -rf ~]")[0]!,
    /valid is "off", "low", "medium" or "high"/,
  );
});

test("D.11.16: tags are read from the very text that is submitted, and nothing is added to it", () => {
  const wish = parse("**[Task: 123]** Sum up [model:cheap] [thinking:low]");
  assert.equal(wish.text, "**[Task: 123]** Sum up");
  assert.equal(wish.model, "cheap");
  assert.equal(wish.thinking, "low");
});

test("hostile text survives byte for byte", () => {
  const hostile = [
    "'; DROP TABLE tasks; --",
    "$(rm -rf ~) `rm -rf ~` ${HOME} $HOME \\ %s %n",
    "@everyone @here <@1234> <@&99> <#5>",
    "\u001b[2J\u0007\u0008\u007f\u0085 controls",
    '{"type":"pool-stopped","now":true}',
    "‮right to left⁦ and \u200b zero width",
    "| a | b |\n|---|---|\n\\| \\\\",
    "] [ [[ ]] [: [model [model:",
    "🧑‍🔬 é e\u0301 \u{10FFFF}",
    "x".repeat(4000),
    "[".repeat(4000),
    "`".repeat(3999),
    "[model:".repeat(500),
  ];
  for (const text of hostile) {
    assert.deepEqual(parse(text), { ...PLAIN, text });
    const [before, after] = [`[key:k] ${text}`, `${text}\n[key:k]`].map((one) => parse(one));
    assert.equal(before!.text, text);
    assert.equal(after!.text, text);
  }
});

test("a refusal shows a value on one line, cut and escaped", () => {
  const [message] = refused(`x [model:\u001b[31m]`.replace("[31m", "31m") + "y");
  assert.match(message!, /found "\\u001b31m"/);
  assert.ok(!/\n/.test(refused("x [thinking:a\nb]")[0]!));
  assert.ok(refused(`x [model:${"z".repeat(300)}]`)[0]!.length < 400);
});

test("texts made to take long are read at once", () => {
  const long = [
    "` `` ".repeat(6000),
    "[model:cheap]".repeat(2400),
    "[model:cheap] ".repeat(2200),
    `${" ".repeat(16_000)}[key:a]${" ".repeat(15_000)}x`,
    "```\n~~~\n".repeat(3900),
    Array.from({ length: 240 }, (_, i) => "`".repeat(i + 1)).join(" "),
  ];
  const began = performance.now();
  for (const text of long) parseTaskText(`${text}y`, {}, VOCABULARY);
  // Anything quadratic takes minutes.
  assert.ok(performance.now() - began < 5000);
});
