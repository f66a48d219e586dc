import assert from "node:assert/strict";
import { test } from "node:test";
import {
  applyProposal,
  changeText,
  LONGEST_PROPOSAL,
  readProposal,
} from "../../../lib/sweep/proposed-change.ts";

const NAMES = ["hyperherd.yaml", "launch.sh"];
const YAML = "name: a\nslurm:\n  mem: 1G\n  time: 5\n";
const FILES = new Map([["hyperherd.yaml", YAML], ["launch.sh", "#!/bin/bash\nexit 1\n"]]);

function diffOf(name: string, newName = name): string {
  return `--- ${name}\n+++ ${newName}\n@@ -2,3 +2,3 @@\n slurm:\n-  mem: 1G\n+  mem: 2G\n   time: 5\n`;
}

function whyNot(text: string, files: ReadonlyMap<string, string> = FILES): string {
  const read = readProposal(text, NAMES);
  if ("refused" in read) return read.refused;
  const made = applyProposal(read, files);
  return "refused" in made ? made.refused : "";
}

test("a diff of the configuration is applied, however its paths begin", () => {
  const names = ["hyperherd.yaml", "a/hyperherd.yaml", "data/hyperherd.yaml", "./hyperherd.yaml"];
  for (const name of [...names, "a/data/hyperherd.yaml"]) {
    const read = readProposal(diffOf(name, name.replace(/^a\//, "b/")), NAMES);
    assert.ok(!("refused" in read), name);
    const made = applyProposal(read, FILES);
    assert.ok(!("refused" in made));
    assert.deepEqual(made.map(({ after }) => after), [YAML.replace("1G", "2G")]);
    assert.match(
      changeText(made),
      /^--- hyperherd\.yaml\n\+\+\+ hyperherd\.yaml\n@@ .*- {2}mem: 1G/s,
    );
  }
});

test("a diff in a fence, with its lines counted from elsewhere, is applied where its lines stand", () => {
  const text = `\`\`\`diff\n${diffOf("hyperherd.yaml").replace("-2,3 +2,3", "-9,3 +9,3")}\`\`\`\n`;
  assert.equal(whyNot(text), "");
});

test("line ends of the file stay what they are", () => {
  const read = readProposal(diffOf("hyperherd.yaml"), NAMES);
  assert.ok(!("refused" in read));
  const made = applyProposal(read, new Map([["hyperherd.yaml", YAML.replaceAll("\n", "\r\n")]]));
  assert.ok(!("refused" in made));
  assert.equal(made[0]!.after, YAML.replace("1G", "2G").replaceAll("\n", "\r\n"));
  assert.ok(!changeText(made).includes("\r"));
});

test("a file that is not one of the two is refused, by whatever path", () => {
  for (
    const name of [
      "train.py",
      "/etc/passwd",
      "../hyperherd.yaml",
      "a/../hyperherd.yaml",
      "data/../../.bashrc",
      "/hyperherd.yaml",
      "sub/launch.sh",
      "hyperherd.yaml/../x",
      "\u001b[2Jx",
    ]
  ) assert.match(whyNot(diffOf(name)), /may be changed|nobody would see/, name);
  assert.match(whyNot(diffOf("hyperherd.yaml", "launch.sh")), /makes "launch\.sh" of/);
});

test("what makes, removes, renames, copies or is binary is refused", () => {
  assert.match(whyNot("--- /dev/null\n+++ b/launch.sh\n@@ -0,0 +1 @@\n+x\n"), /makes, removes/);
  assert.match(whyNot("--- a/launch.sh\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"), /makes, removes/);
  const git = (more: string) => `diff --git a/launch.sh b/launch.sh\n${more}`;
  assert.match(whyNot(git("rename from launch.sh\nrename to hyperherd.yaml\n")), /renames/);
  assert.match(
    whyNot(
      git(
        `old mode 100644\nnew mode 104755\n--- a/launch.sh\n+++ b/launch.sh\n@@ -1 +1 @@\n-x\n+y\n`,
      ),
    ),
    /mode/,
  );
  assert.match(whyNot(git("GIT binary patch\nliteral 3\n")), /binary/);
  assert.match(whyNot("Binary files a/launch.sh and b/launch.sh differ\n"), /binary/);
});

test("what is no diff, is empty, changes a file twice or changes nothing is refused", () => {
  for (const text of ["", "please set mem to 2G", "{}", "@@ @@", "--- a\n+++ b\n"]) {
    assert.match(whyNot(text), /cannot be used/, text);
  }
  assert.match(whyNot(diffOf("hyperherd.yaml").repeat(2)), /twice/);
  assert.match(
    whyNot("--- launch.sh\n+++ launch.sh\n@@ -2 +2 @@\n-exit 1\n+exit 1\n"),
    /changes nothing/,
  );
  assert.match(whyNot(diffOf("hyperherd.yaml").replace("1G", "4G")), /does not fit/);
  assert.match(whyNot(diffOf("hyperherd.yaml"), new Map()), /there is no/);
});

test("a diff of ten megabytes is not even parsed", () => {
  assert.match(whyNot("+".repeat(10 * 1024 * 1024)), new RegExp(`at most ${LONGEST_PROPOSAL}`));
});

test("characters that nobody sees in the shown change are refused", () => {
  for (const hidden of ["\u202e", "\u2066", "\u200b", "\u001b[8m", "\0", "\u0008", "\ud800"]) {
    assert.match(whyNot(diffOf("hyperherd.yaml").replace("2G", `2G${hidden}`)), /nobody would see/);
  }
});

test("lines of which a part is kept secret are context, are removed, and stay what they are", () => {
  const secret = "#!/bin/bash\nexport KEY=abc\nexport OTHER=xyz\nexit 1\n";
  const shown = (line: string) => line.replace(/abc|xyz/, "(secret)");
  const apply = (text: string) => {
    const read = readProposal(text, NAMES);
    assert.ok(!("refused" in read));
    return applyProposal(read, new Map([["launch.sh", secret]]), shown);
  };
  const head = "--- launch.sh\n+++ launch.sh\n@@ -2,3 +2,2 @@\n export KEY=(secret)\n";
  const made = apply(`${head}-export OTHER=(secret)\n-exit 1\n+exit 0\n`);
  assert.ok(!("refused" in made));
  assert.equal(made[0]!.after, "#!/bin/bash\nexport KEY=abc\nexit 0\n");
  const blind = apply(
    `${head.replace("+2,2", "+2,3")}-export OTHER=(secret)\n+export THIRD=(secret)\n exit 1\n`,
  );
  assert.ok("refused" in blind && /would write/.test(blind.refused));
});
