import { test } from "node:test";
import assert from "node:assert/strict";
import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDivider, lastLine, plainText, tailLines } from "../../../lib/store/log-tail.ts";
import { inFolder } from "../../support/store-folder.ts";

test("the last lines are those that reading all of the file gives, at any number and length", () =>
  inFolder((folder) => {
    const path = join(folder, "log");
    const block = 64 * 1024;
    const texts = [
      "",
      "\n",
      "\n\n",
      "a",
      "a\n",
      "a\nb",
      "a\n\nb\n\n",
      `${"x".repeat(block - 1)}\ny\n`,
      `${"x".repeat(block)}\n`,
      `a\n${"x".repeat(block - 1)}\n`,
      `a\n${"x".repeat(block)}\n`,
      `${"ü\n".repeat(70_000)}end`,
    ];
    for (const text of texts) {
      writeFileSync(path, text);
      const all = text.split("\n");
      if (all.at(-1) === "") all.pop();
      for (const most of [0, 1, 2, 3, 1000, 1e6]) {
        const tail = tailLines(path, most);
        assert.deepEqual(
          tail?.lines,
          most === 0 ? [] : all.slice(-most),
          `${text.slice(0, 5)} ${most}`,
        );
        assert.equal(tail.size, Buffer.byteLength(text));
        assert.equal(tail.whole, true);
      }
    }
    assert.equal(tailLines(join(folder, "none"), 3), undefined);
    assert.equal(lastLine(join(folder, "none")), undefined);
  }));

test("G.2.20: of a log of 1 GB only its end is read", () =>
  inFolder((folder) => {
    const path = join(folder, "log");
    writeFileSync(path, "");
    truncateSync(path, 2 ** 30);
    appendFileSync(path, "\none\ntwo\nthree\n");
    const started = performance.now();
    assert.deepEqual(tailLines(path, 3)?.lines, ["one", "two", "three"]);
    assert.equal(lastLine(path), "three");
    assert.ok(performance.now() - started < 500);
    const cut = tailLines(path, 5, 128 * 1024);
    assert.equal(cut?.whole, false);
    assert.equal(cut?.lines.length, 4);
  }));

test("the last line is what a terminal would show last", () =>
  inFolder((folder) => {
    const path = join(folder, "log");
    const shown: [string, string | undefined][] = [
      ["", undefined],
      ["\n \n\t\n", undefined],
      ["one\ntwo\n\n  \n", "two"],
      ["\u001b[1;31mred\u001b[0m text\u001b[K\n", "red text"],
      ["epoch 1\n 10%|#\r 50%|##\r100%|###\r", "100%|###"],
      ["\u001b]0;title\u0007after\n", "after"],
      ["\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\\n", "link"],
      [`${"a\n".repeat(100)}${"x".repeat(300_000)}\n`, "x".repeat(256 * 1024)],
      [`early\n${"\n".repeat(100_000)}`, "early"],
    ];
    for (const [text, line] of shown) {
      writeFileSync(path, text);
      const found = lastLine(path);
      assert.equal(found?.slice(0, 100), line?.slice(0, 100), JSON.stringify(text.slice(0, 40)));
    }
  }));

test("plain text keeps words, newlines and tabs and nothing that commands a terminal", () => {
  assert.equal(plainText("a\u0007\u001b[2J\u001b(B\u009bb\tc\nd\u001b"), "ab\tc\nd");
});

test("the line that begins a run is not its last line, and what was said before it is another run's", () =>
  inFolder((folder) => {
    const path = join(folder, "log");
    const begins = "===== herd: trial 3, attempt 1, job 7_3, restart 0, node n1, " +
      "2025-01-02T03:04:05+0100 =====\n";
    assert.equal(isDivider(begins.trim()), true);
    assert.equal(isDivider("===== results ====="), false);
    writeFileSync(path, begins);
    assert.equal(lastLine(path), undefined);
    appendFileSync(path, "epoch 1\n");
    assert.equal(lastLine(path), "epoch 1");
    appendFileSync(path, begins.replace("attempt 1", "attempt 2"));
    assert.equal(lastLine(path), undefined);
    appendFileSync(path, "\n  \n");
    assert.equal(lastLine(path), undefined);
  }));
