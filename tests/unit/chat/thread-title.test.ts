import assert from "node:assert/strict";
import test from "node:test";
import type { Arrival } from "../../../lib/chat/arrival.ts";
import { threadTitle } from "../../../lib/chat/thread-title.ts";
import { ADA, arrival, ME } from "./arrivals.ts";

function title(content: string, rest: Partial<Omit<Arrival, "place" | "author">> = {}): string {
  return threadTitle(arrival({ content, ...rest }), ME, ["300"]);
}

const file = (name: string) => ({ id: "1", name, url: "", bytes: 1, contentType: "" });
const mentions = {
  users: [{ id: ADA, name: "Ada" }],
  roles: [{ id: "301", name: "gpu" }],
  everyone: false,
};

const TITLES: readonly [content: string, title: string][] = [
  [`<@${ME}> why does trial 7 fail?`, "why does trial 7 fail?"],
  [`<@!${ME}>\n\nfirst line\nsecond\tline`, "first line second line"],
  ["<@&300> review this", "review this"],
  [`ask <@${ADA}> and <@!${ADA}> of <@&301>`, "ask @Ada and @Ada of @gpu"],
  ["ask <@123> of <@&456> in <#789>", "ask @user of @role in #channel"],
  ["<:herd:123> go <a:spin:4> at <t:1700000000:R>", ":herd: go :spin: at"],
  ["run </cancel all:123>", "run /cancel all"],
  [
    "look at https://github.com/openabdev/openab/issues/457#issuecomment-1 please",
    "look at openabdev/openab#457 please",
  ],
  ["https://www.github.com/a.b/c_d/pull/12/files?x=1", "a.b/c_d#12"],
  ["(https://github.com/a/b/pull/12)", "(a/b#12)"],
  ["https://github.com/a/b/tree/main", "https://github.com/a/b/tree/main"],
  ["```py\nprint(1)\n```", "print(1)"],
  ["x".repeat(40), "x".repeat(40)],
  ["x".repeat(41), `${"x".repeat(40)}…`],
  [`${"x".repeat(39)} yz`, `${"x".repeat(39)}…`],
];
for (const [content, wanted] of TITLES) {
  test(`B.54, B.55: the title of ${JSON.stringify(content.slice(0, 50))} is ${JSON.stringify(wanted)}`, () => {
    assert.equal(title(content, { mentions }), wanted);
  });
}

test("forty characters are counted as people do, and none is cut in half", () => {
  const family = "👨‍👩‍👧‍👦";
  assert.equal(title("😀".repeat(50)), `${"😀".repeat(40)}…`);
  assert.ok(title(family.repeat(50)).length <= 100);
  assert.equal(title(family.repeat(50)).replaceAll(family, ""), "…");
  const zalgo = `a${"\u0301".repeat(500)}`;
  assert.ok(title(`hello ${zalgo}`).length <= 100);
});

test("A.17.17: a message of attachments alone has their names for a title", () => {
  assert.equal(title(`<@${ME}>`, { attachments: [file("loss.png")] }), "loss.png");
  const many = ["a.txt", "b.txt", "c.txt", "d.txt"].map(file);
  assert.equal(title("", { attachments: many }), "a.txt, b.txt, c.txt");
});

test("A.17.17, B.54: no title is empty, whatever the message is made of", () => {
  const invisible = [
    "",
    " ",
    "\n",
    "\u200b",
    "\u2800",
    "\u00ad\u2060",
    "\u202e",
    "\u3164",
    "\u{e0041}",
    "\0",
  ];
  for (const content of [...invisible, `<@${ME}>`, "<@&300>", "<t:1>"]) {
    assert.equal(title(content), "Conversation with Ada", JSON.stringify(content));
    const nameless = threadTitle(
      { ...arrival({ content }), author: { ...arrival().author, displayName: "\u200b" } },
      ME,
      ["300"],
    );
    assert.equal(nameless, "Conversation");
    assert.equal(title(content, { attachments: [file("\u200b\n")] }), "Conversation with Ada");
  }
  assert.equal(title("", { extras: [{ kind: "sticker", text: "Wave" }] }), "Wave");
  const quoted = { id: "1", author: undefined, text: "it broke\nagain" };
  assert.equal(title("", { quoted }), "Re: it broke again");
});

test("titles of hostile text are one visible line of at most 100 units, in good time", () => {
  const hostile = [
    "\u202eevil",
    "a\rb",
    "x\u2028y",
    "\ud800",
    "<@".repeat(5000),
    "`".repeat(20_000),
    `https://github.com/${"a/".repeat(9000)}`,
    "<t:".repeat(9000),
    " ".repeat(100_000),
  ];
  const from = performance.now();
  for (const content of hostile) {
    const made = title(content);
    assert.ok(made.length > 0 && made.length <= 100);
    assert.doesNotMatch(made, /[\p{Cc}\u2028\u2029\u202e]/u);
    assert.ok(made.isWellFormed());
  }
  assert.ok(performance.now() - from < 2000);
});
