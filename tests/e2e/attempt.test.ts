import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findConfinement } from "../../lib/tasks/confine.ts";
import { inAttemptScene, program } from "../unit/tasks/attempt-scene.ts";

const BUN = fileURLToPath(new URL("../../node_modules/bun/bin/bun.exe", import.meta.url));
const PROBE = fileURLToPath(new URL("../unit/tasks/attempt-probe.ts", import.meta.url));
const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const RUNTIMES: Record<string, string[]> = {
  deno: [process.execPath, "run", "-A", PROBE],
  bun: [BUN, PROBE],
};
const SANDBOX = { level: "workspace", network: false } as const;
const confinement = await findConfinement(process.env);

for (const [runtime, argv] of Object.entries(RUNTIMES)) {
  const skip = existsSync(argv[0]!) ? false : `no ${runtime} here`;

  test(`${runtime}: a confined agent works for a while, writes its result and leaves nothing`, {
    skip,
  }, async () => {
    await inAttemptScene(async (scene) => {
      // Longer than a thread that starts a program may live: bubblewrap ends with its parent's thread.
      const script = `for i in 1 2 3 4 5 6; do echo "step $i"; sleep 0.5; done
        cat ${scene.root}/running/* 2>&1; echo x > ../stolen; echo kept > kept.txt; echo finished`;
      const spec = scene.spec({ script }, { sandbox: SANDBOX });
      const { end, left } = await scene.start(spec, { argv }).ended;
      assert.equal(end.kind, "done", JSON.stringify(end));
      const { result } = end as { result: string };
      assert.match(result, /step 6\n(.|\n)*finished\n$/);
      assert.doesNotMatch(result, /"mark"/);
      assert.equal(readFileSync(join(spec.folder, "kept.txt"), "utf8"), "kept\n");
      assert.equal(existsSync(join(spec.folder, "../stolen")), false);
      assert.equal(left, 0);
    });
  });

  for (const victim of ["the attempt's process", "the connection to the worker"]) {
    test(`${runtime}: a confined agent ends with ${victim}`, { skip }, async () => {
      await inAttemptScene(async (scene) => {
        const script = `trap '' TERM; (exec -a $AGENT_WORD sleep 600) &
          env -i setsid setsid -f bash -c 'exec -a "$0" sleep 600' $AGENT_WORD
          sleep 0.3; echo ready; wait`;
        const spec = scene.spec({ script, stubborn: true }, { sandbox: SANDBOX });
        const attempt = scene.start(spec, { argv });
        await scene.heard("ready");
        assert.ok(scene.living().length >= 2);
        if (victim === "the attempt's process") process.kill(attempt.pid!, "SIGKILL");
        else attempt.fence();
        const { end } = await attempt.ended;
        assert.equal(end.kind, victim === "the attempt's process" ? "crashed" : "fenced");
        assert.deepEqual(scene.living(), []);
      });
    });
  }

  test(`${runtime}: no agent outlives a pipe whose other end is gone`, { skip }, async () => {
    await inAttemptScene(async (scene) => {
      const script = `trap '' TERM; exec -a $AGENT_WORD bash -c 'echo ready; sleep 600; true' $0`;
      const spec = scene.spec({ script, stubborn: true });
      const child = spawn(argv[0]!, [...argv.slice(1), "attempt"], {
        stdio: ["pipe", "pipe", "inherit"],
        env: { ...process.env, HERD_ATTEMPT: `${scene.word}-0123456789abcdef` },
      });
      let said = "";
      const ready = new Promise<void>((resolve) => {
        child.stdout.on("data", (chunk) => {
          said += chunk;
          if (said.includes("ready")) resolve();
        });
      });
      child.stdin.write(`${JSON.stringify(spec)}\n`);
      await ready;
      assert.ok(scene.living().length > 0);
      const ended = new Promise((resolve) => child.on("close", resolve));
      child.stdin.end();
      await ended;
      assert.match(said, /"stopped":"worker-gone"/);
      assert.deepEqual(scene.living(), []);
    });
  });

  test(
    `${runtime}: a worker that reads nothing holds neither agent nor attempt beyond the deadline`,
    {
      skip,
    },
    async () => {
      await inAttemptScene(async (scene) => {
        const script = `for i in $(seq 1 3000); do echo USE; done
        exec -a $AGENT_WORD bash -c 'sleep 600; true' $0`;
        const spec = scene.spec({ script, stubborn: true }, { deadManMs: 3_000 });
        const child = spawn(argv[0]!, [...argv.slice(1), "attempt"], {
          stdio: ["pipe", "pipe", "inherit"],
          env: { ...process.env, HERD_ATTEMPT: `${scene.word}-fedcba9876543210` },
        });
        child.stdin.write(`${JSON.stringify(spec)}\n`);
        const ended = new Promise((resolve) => child.on("exit", resolve));
        await ended;
        child.stdout.destroy();
        assert.deepEqual(scene.living(), []);
      });
    },
  );
}

test("a sandbox that this machine has is used, and the level is refused where it has none", async () => {
  assert.notEqual(confinement.kind, "none", confinement.says);
  await inAttemptScene(async (scene) => {
    const spec = scene.spec({ script: "echo x > ../out; ls /root /home; id" }, {
      sandbox: { level: "read-only", network: true },
    });
    const { end } = await scene.start(spec, { argv: program("./attempt-probe.ts") }).ended;
    assert.equal(end.kind, "done");
    assert.match((end as { result: string }).result, /^uid=/);
  });
});

test("a specification that is none is refused without a word of it on any output", async () => {
  for (const text of ["no JSON hidden-value\n", '{"secrets":{"KEY":"hidden-value"}}\n', ""]) {
    const child = spawn(process.execPath, ["run", "-A", MAIN, "attempt"], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    let said = "";
    child.stdout.on("data", (chunk) => said += chunk);
    child.stderr.on("data", (chunk) => said += chunk);
    child.stdin.end(text);
    assert.equal(await new Promise((resolve) => child.on("close", resolve)), 2);
    assert.doesNotMatch(said, /hidden-value/);
    if (text !== "") assert.match(said, /"cause":"refused".*Cannot read the specification/);
  }
});
