import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { doc } from "../support/documented-keys.ts";
import { HERD } from "../support/herd.ts";

/** The first example of docs/trainers.md in this language that calls `herd log`. */
function example(language: string): string {
  const found = [
    ...doc("trainers.md").matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm")),
  ]
    .map(([, text]) => text!).find((text) => text.includes("HERD_BIN") && text.includes("11"));
  assert.ok(found, `docs/trainers.md has no example in ${language}`);
  return found;
}

interface Language {
  name: string;
  program: string;
  file: string;
  /** The example with values for its names and a mark that it went on. */
  whole(text: string): string;
}

const LANGUAGES: readonly Language[] = [
  {
    name: "bash",
    program: "bash",
    file: "step.sh",
    whole: (text) =>
      `loss=0.31 epoch=12\nsave_checkpoint() { echo saved; }\n${text}\necho went on\n`,
  },
  {
    name: "r",
    program: "Rscript",
    file: "step.R",
    whole: (text) =>
      `loss <- 0.31\nepoch <- 12\nsave_checkpoint <- function() cat("saved\\n")\n${text}\n` +
      'cat("went on\\n")\n',
  },
  {
    name: "js",
    program: "node",
    file: "step.mjs",
    whole: (text) =>
      `const loss = 0.31, epoch = 12;\nfunction saveCheckpoint() { console.log("saved"); }\n` +
      `${text}\nconsole.log("went on");\n`,
  },
];

function missing(program: string): string | false {
  return spawnSync(program, ["--version"]).error === undefined ? false : `no ${program} here`;
}

for (const { name, program, file, whole } of LANGUAGES) {
  test(
    `the example of docs/trainers.md in ${name} logs, goes on, and obeys prune and pause`,
    { skip: missing(program) },
    () => {
      const path = mkdtempSync(join(tmpdir(), "herd-trainer-"));
      try {
        const results = join(path, ".hyperherd", "results", "3");
        mkdirSync(results, { recursive: true });
        writeFileSync(join(path, ".hyperherd", "manifest.json"), "[]");
        writeFileSync(join(path, file), whole(example(name)));
        const step = (signal?: string, more: Record<string, string> = {}) => {
          if (signal !== undefined) writeFileSync(join(results, "_signal"), signal);
          const env = { HERD_BIN: HERD, HYPERHERD_WORKSPACE: path, HYPERHERD_TRIAL_ID: "3" };
          const said = spawnSync(program, [join(path, file)], {
            env: { ...process.env, ...env, ...more },
            encoding: "utf8",
          });
          return { code: said.status, stdout: said.stdout };
        };
        assert.deepEqual(step(), { code: 0, stdout: "went on\n" });
        const line = readFileSync(join(results, "stream", "val_loss.jsonl"), "utf8");
        const { step: at, value } = JSON.parse(line);
        assert.deepEqual([at, value], [12, 0.31]);
        assert.deepEqual(step("prune"), { code: 0, stdout: "" });
        assert.deepEqual(step("pause"), { code: 0, stdout: "saved\n" });
        assert.deepEqual(step(undefined, { HYPERHERD_TRIAL_ID: "none" }), { code: 2, stdout: "" });
      } finally {
        rmSync(path, { recursive: true });
      }
    },
  );
}
