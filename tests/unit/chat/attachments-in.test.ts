import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attached } from "../../../lib/chat/arrival.ts";
import {
  ATTACHMENT_LIMITS,
  type AttachmentKind,
  bytesText,
  kindOf,
  planAttachments,
} from "../../../lib/chat/attachments-in.ts";
import { numberedName, safeName } from "../../../lib/chat/safe-name.ts";

const KIB = 1_024;
const MIB = 1_024 * KIB;

function attached(name: string, bytes = 10, contentType = ""): Attached {
  return {
    id: name,
    name,
    url: `https://cdn.test/${encodeURIComponent(name)}`,
    bytes,
    contentType,
  };
}

function acts(list: readonly Attached[], transcribes = true, used = 0): string[] {
  return planAttachments(list, { transcribes, used }).map(({ act }) => act);
}

test("B.60: the table of kinds, in its order: audio, text, image, video, other", () => {
  const cases: [string, string, AttachmentKind][] = [
    ["a.ogg", "audio/ogg", "audio"],
    ["a.txt", "audio/mpeg", "audio"],
    ["a.mp3", "", "other"],
    ["a.bin", "text/plain; charset=utf-8", "text"],
    ["a.bin", "TEXT/X-Python", "text"],
    ["a.ts", "video/mp2t", "text"],
    ["a.svg", "image/svg+xml", "image"],
    ["x", "image/heic", "image"],
    ["x.WEBP", "application/octet-stream", "image"],
    ["x.jpg", "video/mp4", "image"],
    ["x.mkv", "", "video"],
    ["x", "video/quicktime", "video"],
    ["x.pdf", "application/pdf", "other"],
    ["noending", "", "other"],
    ["", "", "other"],
    ["DockerFile", "", "text"],
    [".gitignore", "", "text"],
    ["dockerfile.exe", "application/x-msdownload", "other"],
  ];
  for (const [name, type, kind] of cases) {
    assert.equal(kindOf({ name, contentType: type }), kind, `${name} ${type}`);
  }
  for (
    const type of [
      "json",
      "xml",
      "javascript",
      "x-yaml",
      "x-sh",
      "toml",
      "x-toml",
    ]
  ) assert.equal(kindOf({ name: "x", contentType: `application/${type}` }), "text");
  const extensions =
    "txt csv log md json jsonl yaml yml toml xml sql html css scss less ini cfg conf env py sh rs";
  for (const extension of extensions.split(" ")) {
    assert.equal(kindOf({ name: `A.${extension.toUpperCase()}`, contentType: "" }), "text");
  }
  for (const extension of ["mp4", "mov", "webm", "mkv", "m4v", "avi"]) {
    assert.equal(kindOf({ name: `a.${extension}`, contentType: "" }), "video");
  }
});

test("each limit: at it a file is taken in, one byte more and it is saved with a reason", () => {
  const cases: [string, string, number, string][] = [
    ["a.txt", "", 512 * KIB, "inline"],
    ["a.png", "", 10 * MIB, "show"],
    ["a.ogg", "audio/ogg", 25 * MIB, "transcribe"],
  ];
  for (const [name, type, most, act] of cases) {
    assert.deepEqual(acts([attached(name, most, type)]), [act]);
    const [over] = planAttachments([attached(name, most + 1, type)], {
      transcribes: true,
      used: 0,
    });
    assert.ok(over?.act === "save" && over.why!.includes(bytesText(most)), JSON.stringify(over));
  }
  assert.deepEqual(acts([attached("a.mp4", 9_000 * MIB)]), ["describe"]);
});

test("B.64: five texts and one megabyte in all are quoted, the others saved", () => {
  const six = Array.from({ length: 6 }, (_, i) => attached(`${i}.txt`));
  assert.deepEqual(acts(six), [...Array(5).fill("inline"), "save"]);
  const large = Array.from({ length: 3 }, (_, i) => attached(`${i}.txt`, 512 * KIB));
  assert.deepEqual(acts([...large, attached("tiny.txt", 1)]), ["inline", "inline", "save", "save"]);
});

test("speech without a service is saved, and says why", () => {
  const [plan] = planAttachments([attached("a.ogg", 9, "audio/ogg")], {
    transcribes: false,
    used: 0,
  });
  assert.ok(plan?.act === "save" && /not transcribed/.test(plan!.why!));
});

test("a file that is too large, or that the session has no room for, is left with a reason", () => {
  const { savedBytes, sessionBytes } = ATTACHMENT_LIMITS;
  const plans = planAttachments(
    [attached("a.zip", savedBytes + 1), attached("b.zip", 60), attached("c.zip", 60)],
    { transcribes: true, used: sessionBytes - 100 },
  );
  assert.deepEqual(plans.map(({ act }) => act), ["leave", "save", "leave"]);
  for (const plan of plans) if (plan.act === "leave") assert.notEqual(plan.why, "");
});

test("whatever is attached, each gets exactly one plan, in order", () => {
  const list = ["", "..", "a\0b.txt", "x".repeat(9_000), "a.png", "b.unknown", "\u202e.exe"]
    .map((name, i) => attached(name, i % 2 === 0 ? 10 : 1e12));
  const plans = planAttachments(list, { transcribes: false, used: 1e15 });
  assert.deepEqual(plans.map((plan) => plan.attached), list);
});

test("no name leads out of its folder, hides, or drives a terminal", () => {
  const cases: [string, string][] = [
    ["../../etc/passwd", "passwd"],
    ["C:\\x\\evil.exe", "evil.exe"],
    [".bashrc", "bashrc"],
    ["..", "attachment"],
    ["", "attachment"],
    ["/", "attachment"],
    ["-rf", "rf"],
    ["a\0\x1b[31m\n.txt", "a[31m.txt"],
    ["\u202egpj.exe", "gpj.exe"],
    ["$(id);`x`.sh", "_(id)__x_.sh"],
    ["a  b.txt", "a b.txt"],
    ["漢字.csv", "漢字.csv"],
  ];
  for (const [name, safe] of cases) assert.equal(safeName(name), safe, JSON.stringify(name));
  for (
    const name of [
      "漢".repeat(500) + ".tar.gz",
      "x".repeat(5_000),
      "\ud800a.txt",
      "." + "e".repeat(300),
    ]
  ) {
    const safe = safeName(name);
    assert.ok(new TextEncoder().encode(safe).length <= 150 && safe !== "", safe);
    assert.ok(safe.isWellFormed());
  }
  assert.match(safeName("漢".repeat(500) + ".tar.gz"), /\.tar\.gz$/);
});

test("a second file of a name gets a number in front of its ending", () => {
  assert.equal(numberedName("a.csv", 1), "a.csv");
  assert.equal(numberedName("a.tar.gz", 2), "a-2.tar.gz");
  assert.equal(numberedName("Makefile", 3), "Makefile-3");
});
