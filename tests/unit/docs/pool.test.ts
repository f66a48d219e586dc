import assert from "node:assert/strict";
import test from "node:test";
import { STANDARD_OPTIONS } from "../../../commands/command.ts";
import { TABLE } from "../../../commands/table.ts";
import { doc } from "../../support/documented-keys.ts";

const PAGES = ["pool.md", "pool-config.md", "broker.md"];

/** Every line that begins with `herd`, from blocks and from spans, with what stands before it cut off. */
function linesOf(page: string): string[] {
  const text = doc(page);
  const blocks = [...text.matchAll(/^ *```sh\n([^]*?)^ *```$/gm)].flatMap(([, block]) =>
    block!.replaceAll("\\\n", " ").split("\n")
  );
  const spans = [...text.replace(/^ *```[^]*?^ *```$/gm, "").matchAll(/`([^`]+)`/g)]
    .map(([, span]) => span!.replaceAll("\n", " "));
  return [...blocks, ...spans].flatMap((line) => line.split(/[&|]/)).map((line) =>
    line.replace(/\s#.*$/, "").trim().replace(/^(\w+=\S+\s+)+/, "")
  ).filter((line) => /^herd( |$)/.test(line) && line.includes(" "));
}

for (const page of PAGES) {
  test(`every command that docs/${page} shows is there, with its action and its options`, async () => {
    const lines = linesOf(page);
    assert.ok(lines.length >= 2, page);
    for (const line of lines) {
      const words = line.replace(/"[^"]*"/g, "TEXT").split(/\s+/).slice(1);
      const entry = TABLE.find(({ name }) => name === words[0]);
      assert.ok(entry !== undefined, line);
      const { command } = await entry.load();
      const known = [...command.options ?? [], ...STANDARD_OPTIONS].map(({ name }) => name);
      for (const word of words) {
        const option = /^--([a-z-]+)/.exec(word)?.[1];
        assert.ok(option === undefined || known.includes(option), `${line}: ${word}`);
      }
      const [first] = command.arguments ?? [];
      if (first?.name !== "ACTION" || words[1] === undefined || words[1].startsWith("-")) continue;
      const actions = first.description.replace(/;.*$/, "").split(/, | or /);
      assert.ok(actions.includes(words[1]), `${line}: ${words[1]} is none of ${actions}`);
    }
  });
}

test("docs/pool.md names every script and setting of discord-orchestration's two pages", () => {
  const text = doc("pool.md");
  for (
    const name of [
      "setup-discord.sh",
      "discord-config.env",
      "worker-reaction.sh",
      "worker-manager-discord-curl.sh",
      "submit-to-queue.sh",
      "submit-to-discord.sh",
      "clear-task-queue.sh",
      "emergency-stop.sh",
      "test-simple.sh",
      "test-reaction-permissions.sh",
      "debug-discord.sh",
      "CHIP_TOKEN",
      "WORKER1_TOKEN",
      "TASK_QUEUE_CHANNEL",
      "RESULTS_CHANNEL",
      "WORKER_POOL_CHANNEL",
      "GUILD_ID",
      "POLL_INTERVAL",
      "MAX_IDLE_TIME",
      "WORKER_ID",
      "BOT_TOKEN",
      "OPENCLAW_STATE_DIR",
      "openclaw.json",
      "--local",
      "execute_task()",
    ]
  ) assert.ok(text.includes(name), name);
});
