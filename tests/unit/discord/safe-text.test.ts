import assert from "node:assert/strict";
import { test } from "node:test";
import { codeBlock, plainText, withoutMentions } from "../../../lib/discord/safe-text.ts";

test("foreign text pings nobody, and its Markdown is shown", () => {
  for (const evil of ["@everyone", "@HERE", "<@123>", "<@!123>", "<@&123>", "<#123>"]) {
    for (const safe of [plainText(evil), withoutMentions(evil), codeBlock(evil)]) {
      if (!safe.startsWith("```")) {
        assert.doesNotMatch(safe, /@(everyone|here)|<[@#][!&]?\d/i, evil);
      }
    }
  }
  assert.equal(plainText("**a** _b_ `c`"), "\\*\\*a\\*\\* \\_b\\_ \\`c\\`");
  assert.doesNotMatch(plainText("\u202egnp.exe\u202c"), /[\u202a-\u202e]/);
});

test("no text ends its code block", () => {
  for (const text of ["```\n@everyone", "a`", "``` ``` ```", "`````", "a\n```\nb"]) {
    const block = codeBlock(text);
    assert.equal(block.match(/```/g)!.length, 2, block);
    assert.match(block, /^```\n[^]*\n```$/);
  }
});
