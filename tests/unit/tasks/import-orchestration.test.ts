import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { importOrchestration, isOrchestration } from "../../../lib/tasks/import-orchestration.ts";
import { readHerdConfig } from "../../../lib/daemon/read-herd-config.ts";

const TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.abcdef.a-token-that-is-no-token";
const FILE = {
  CHIP_TOKEN: TOKEN,
  WORKER1_TOKEN: `${TOKEN}1`,
  WORKER2_TOKEN: "your-worker-2-token",
  TASK_QUEUE_CHANNEL: "1234567890123456781",
  RESULTS_CHANNEL: "1234567890123456782",
  WORKER_POOL_CHANNEL: "1234567890123456783",
  GUILD_ID: "1234567890123456789",
};

test("server, channels and the name of the token's variable come over; tokens do not", () => {
  const { yaml, notices, token, workers } = importOrchestration(FILE);
  const { pool, notices: more } = readHerdConfig(yaml, "x");
  assert.deepEqual(more, []);
  assert.deepEqual(pool?.discord, {
    token: { env: "CHIP_TOKEN" },
    guildId: FILE.GUILD_ID,
    channels: {
      queue: FILE.TASK_QUEUE_CHANNEL,
      results: FILE.RESULTS_CHANNEL,
      workers: FILE.WORKER_POOL_CHANNEL,
    },
    authors: undefined,
    operators: undefined,
    bots: [],
  });
  assert.deepEqual(token, { variable: "CHIP_TOKEN", text: TOKEN });
  assert.deepEqual(workers, ["WORKER1_TOKEN"]);
  assert.match(notices.join("\n"), /Left out WORKER1_TOKEN: one bot is enough/);
  assert.ok(!`${yaml}${notices}`.includes(TOKEN));
});

test("the newer name of the submitter is known, and settings without a counterpart are named with why", () => {
  const { CHIP_TOKEN, ...rest } = FILE;
  const { yaml, notices } = importOrchestration({
    ...rest,
    ORCHESTRATOR_AGENT_TOKEN: CHIP_TOKEN,
    POLL_INTERVAL: "5",
    MAX_IDLE_TIME: "300",
    OPENCLAW_STATE_DIR: "/x",
    SOMETHING: "else",
  });
  assert.match(yaml, /token_env: ORCHESTRATOR_AGENT_TOKEN/);
  for (const word of [/POLL_INTERVAL: /, /MAX_IDLE_TIME: /, /OPENCLAW_STATE_DIR: /, /SOMETHING/]) {
    assert.match(notices.join("\n"), word);
  }
});

test("the example's own placeholders are no tokens and no channels", () => {
  const { yaml, notices, token } = importOrchestration({
    CHIP_TOKEN: "your-orchestrator-bot-token",
    TASK_QUEUE_CHANNEL: "CHANNEL_ID",
    GUILD_ID: FILE.GUILD_ID,
  });
  assert.equal(token, undefined);
  assert.match(yaml, /queue: task-queue/);
  assert.match(notices.join("\n"), /Found no token in CHIP_TOKEN/);
  assert.doesNotThrow(() => readHerdConfig(yaml, "x"));
});

test("a file without a server is refused, another program's is not taken for one", () => {
  assert.throws(() => importOrchestration({ CHIP_TOKEN: TOKEN, GUILD_ID: "lab" }), (error) => {
    assert.ok(error instanceof UserError && !`${error.message}${error.hint}`.includes('lab"'));
    return /GUILD_ID/.test(error.message);
  });
  assert.equal(isOrchestration({ FOO: "1", DISCORD_BOT_TOKEN: TOKEN }), false);
  assert.equal(isOrchestration({ GUILD_ID: "1" }), true);
});
