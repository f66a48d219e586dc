import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnswerStyle, renderTurn } from "../../../lib/chat/answer.ts";
import type { ToolUse, Turn, TurnFailure, TurnState } from "../../../lib/chat/turn.ts";
import { randomText, seeded } from "../../support/random-text.ts";

const STYLE: AnswerStyle = { tools: "full", tables: "code", footer: [] };

function turn(state: TurnState, more: Partial<Turn> = {}): Turn {
  return {
    id: "t1",
    conversation: "c1",
    messages: ["m1"],
    state,
    startedAt: 1_000,
    activeAt: 13_000,
    tools: [],
    text: "",
    use: undefined,
    ...more,
  };
}

function tool(id: string, status: ToolUse["status"], title = id): ToolUse {
  return { id, title, kind: "execute", status };
}

function failure(more: Partial<TurnFailure> = {}): TurnFailure {
  return {
    kind: "model",
    message: "It broke",
    code: undefined,
    stderr: "",
    hint: undefined,
    ...more,
  };
}

function textOf(one: Turn, style: AnswerStyle = STYLE): string {
  const { messages } = renderTurn(one, style);
  assert.equal(messages.length, 1);
  return messages[0]!;
}

test("B.82: a turn that has said nothing yet shows a placeholder, one that waits its place", () => {
  for (const kind of ["starting", "running"] as const) assert.equal(textOf(turn({ kind })), "…");
  assert.equal(textOf(turn({ kind: "queued", ahead: 0 })), "…");
  assert.match(textOf(turn({ kind: "queued", ahead: 2 })), /Waits for 2 turns before it/);
});

test("while it writes, the end of the answer is shown, with what it does above and what it waits for below", () => {
  const shown = textOf(turn({ kind: "asking", what: "rm -rf `x`\nnow" }, {
    text: "word ".repeat(2_000),
    tools: [tool("a", "running", "make all")],
  }));
  assert.match(shown, /^🔧 `make all`\n…[^]*word\n✋ Waits for a permission: `rm -rf 'x' ; now`$/);
  assert.ok(shown.length <= 2_000);
  assert.match(textOf(turn({ kind: "stuck", silentMs: 180_000 })), /Nothing was heard .* 3 min/);
});

test("B.96: tool lines: each by its sign, one per id, titles on one line without backticks", () => {
  const tools = [
    tool("1", "running", "old title"),
    tool("2", "completed", "ls\n-la `x`"),
    tool("3", "failed", "  "),
    tool("1", "completed", "new title"),
  ];
  assert.equal(
    textOf(turn({ kind: "running" }, { tools })),
    "✅ `new title`\n✅ `ls ; -la 'x'`\n❌ ` `",
  );
});

test("B.96: more than three finished tools are a count, more than three running ones are 'more'", () => {
  const tools = [
    ...Array.from({ length: 3 }, (_, i) => tool(`d${i}`, "completed")),
    tool("f", "failed"),
    ...Array.from({ length: 5 }, (_, i) => tool(`r${i}`, "running")),
  ];
  assert.equal(
    textOf(turn({ kind: "running" }, { tools })),
    "✅ 3 tools done · ❌ 1 tool failed\n🔧 `r2`\n🔧 `r3`\n🔧 `r4`\n🔧 2 more",
  );
  const compact = textOf(turn({ kind: "running" }, { tools }), { ...STYLE, tools: "compact" });
  assert.equal(compact, "✅ 3 tools done · ❌ 1 tool failed · 🔧 5 tools running");
  assert.equal(textOf(turn({ kind: "running" }, { tools }), { ...STYLE, tools: "none" }), "…");
});

test("thousands of tools and a flood of text stay within one message while it runs", () => {
  for (let seed = 0; seed < 100; seed++) {
    const random = seeded(seed);
    const tools = Array.from(
      { length: Math.floor(random() * 3_000) },
      (_, i) =>
        tool(
          `${i}`,
          (["running", "completed", "failed"] as const)[Math.floor(random() * 3)]!,
          randomText(random, 4),
        ),
    );
    const text = randomText(random, 100);
    for (const display of ["full", "compact", "none"] as const) {
      const asking = { kind: "asking", what: text, detail: randomText(random, 300) } as const;
      const answers = Array.from(
        { length: Math.floor(random() * 6) },
        () => ({ what: text, answer: "once", by: randomText(random, 9) }) as const,
      );
      for (const state of [{ kind: "running" }, asking] as const) {
        const { messages } = renderTurn(turn(state, { tools, text, answers }), {
          ...STYLE,
          tools: display,
        });
        assert.equal(messages.length, 1);
        assert.ok(messages[0]!.length <= 2_000, `seed ${seed}: ${messages[0]!.length}`);
      }
    }
  }
});

test("C.11, C.15: the finished answer is tool lines, words, footer", () => {
  const shown = textOf(
    turn({ kind: "done" }, {
      text: "Done.\n",
      tools: [tool("a", "completed")],
      use: {
        model: "claude_x",
        input: 300,
        output: 840,
        cacheRead: 12_000,
        cacheWrite: 0,
        usd: 0.042,
      },
    }),
    { ...STYLE, footer: ["model", "tokens", "cost", "duration"] },
  );
  assert.equal(
    shown,
    "✅ `a`\nDone.\n-# claude\\_x · 12.3k in, 840 out · $0.04 · 12 s",
  );
});

test("a price that nobody knows is not shown as free", () => {
  const use = { model: undefined, input: 1, output: 1, cacheRead: 0, cacheWrite: 0, usd: null };
  const shown = textOf(turn({ kind: "done" }, { text: "a", use }), { ...STYLE, footer: ["cost"] });
  assert.equal(shown, "a");
});

test("B.97, C.12: silence is explained by what is known, never by a bare note", () => {
  const use = { model: "m", input: 9, output: 0, cacheRead: 0, cacheWrite: 0, usd: null };
  const cases: [Partial<Turn>, RegExp][] = [
    [{}, /no use of a model: it may not be logged in/],
    [{ use }, /wrote no tokens: a limit may be reached/],
    [{ use: { ...use, output: 40 } }, /wrote 40 tokens, none of them words/],
    [
      { tools: [tool("a", "failed", "make")] },
      /used 1 tool, of which 1 failed; the last was `make`/,
    ],
    [{ text: " \n\t" }, /ended without a word/],
  ];
  for (const [more, wanted] of cases) {
    const shown = textOf(turn({ kind: "done" }, more));
    assert.match(shown, wanted);
    assert.doesNotMatch(shown, /no response/i);
  }
});

test("A.17.10, B.112, C.12: a failure is a warning line above what was said, with title, code and hint", () => {
  const shown = textOf(
    turn({ kind: "failed", failure: failure({ code: 429, message: "Slow *down* @everyone" }) }, {
      text: "half an answer",
    }),
  );
  assert.match(
    shown,
    /^⚠️ \*\*Too many requests\*\* \(code 429\): Slow \\\*down\\\* @everyone\n→ /,
  );
  assert.match(shown, /\n\nhalf an answer$/);
});

test("A.17.25: the agent's standard error is not in the text but kept for a button", () => {
  const stderr = "Traceback\nboom `x`";
  const rendered = renderTurn(
    turn({ kind: "failed", failure: failure({ kind: "not-found", stderr }) }),
    STYLE,
  );
  assert.doesNotMatch(rendered.messages.join(), /Traceback/);
  assert.equal(rendered.details, stderr);
});

test("a message that is too long is cut in the text and whole in the details", () => {
  const message = "x".repeat(5_000);
  const rendered = renderTurn(turn({ kind: "failed", failure: failure({ message }) }), STYLE);
  assert.ok(rendered.messages[0]!.length < 1_200);
  assert.equal(rendered.details, message);
});

test("A.17.20: a stopped turn says by whom, below what was said until then", () => {
  assert.equal(
    textOf(turn({ kind: "cancelled", by: "Ann_" }, { text: "so far" })),
    "so far\n\n🛑 Stopped by Ann\\_",
  );
  assert.match(textOf(turn({ kind: "cancelled", by: "" })), /Stopped before anything was said/);
});

test("A.17.20: by whom it was stopped is said below a long answer, too", () => {
  const text = "again and again ".repeat(2_000);
  const { messages, file } = renderTurn(turn({ kind: "cancelled", by: "Ann" }, { text }), STYLE);
  assert.match(messages[0]!, /the whole answer is in the file[^]*🛑 Stopped by Ann$/);
  assert.ok(messages[0]!.length <= 2_000);
  assert.match(file!.text, /🛑 Stopped by Ann$/);
});

test("how many questions wait is shown, and what was said of many is one line", () => {
  const asking = turn({ kind: "asking", what: "make", behind: 19 }, {
    answers: [{ what: "rm", answer: "deny", by: "discord:7", times: 12 }],
  });
  assert.match(
    textOf(asking),
    /denied: `rm` and 11 more, by <@7>\n✋ .*`make` · 19 more after it$/,
  );
});

test("tools of which only the number is kept are counted with the others", () => {
  const tools = [tool("a", "completed"), tool("b", "running")];
  const earlierTools = { completed: 4_000, failed: 2 };
  const shown = textOf(turn({ kind: "running" }, { tools, earlierTools }));
  assert.equal(shown, "✅ 4001 tools done · ❌ 2 tools failed\n🔧 `b`");
});

test("a long answer is a file that holds the agent's own words, tables as they were", () => {
  const text = `| a | b |\n|---|---|\n| 1 | 2 |\n\n${"A sentence. ".repeat(1_500)}`;
  const { messages, file, final } = renderTurn(turn({ kind: "done" }, { text }), STYLE);
  assert.equal(messages.length, 1);
  assert.match(messages[0]!, /^```\na {2}b\n/);
  assert.equal(file!.text, text.trim());
  assert.ok(final);
});
