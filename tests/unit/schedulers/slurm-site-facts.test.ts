import assert from "node:assert/strict";
import test from "node:test";
import {
  askSiteFacts,
  parseConfig,
  parsePing,
  parseQos,
} from "../../../lib/schedulers/slurm/site-facts.ts";
import type { Ended } from "../../../lib/base/process.ts";

test("one controller that is up is enough", () => {
  const both = "Slurmctld(primary) at a is DOWN\nSlurmctld(backup) at b is UP\n";
  assert.deepEqual(parsePing(both, "", undefined), {
    up: true,
    detail: "Slurmctld(backup) at b is UP",
  });
  assert.equal(parsePing("Slurmctld(primary) at a is DOWN\n", "", undefined).up, false);
  assert.deepEqual(parsePing("", "x\nslurm_ping: Socket timed out\n", undefined), {
    up: false,
    detail: "slurm_ping: Socket timed out",
  });
  assert.deepEqual(parsePing("", "", "ENOENT"), { up: false, detail: "ENOENT" });
});

test("the configuration and the QOS table are read", () => {
  const config = parseConfig(
    "Configuration data as of 2026-11-20T22:00:00\nKillWait                = 30 sec\n" +
      "AccountingStorageType   = accounting_storage/none\nPluginDir = /a = b\nEmpty = \n",
  );
  assert.equal(config.get("KillWait"), "30 sec");
  assert.equal(config.get("PluginDir"), "/a = b");
  assert.equal(config.get("Empty"), "");
  assert.deepEqual(parseQos("normal||||\ngpu|1-00:00:00|4|100|gres/gpu=8\n")[1], {
    name: "gpu",
    maxWall: "1-00:00:00",
    maxJobs: "4",
    maxSubmit: "100",
    maxResources: "gres/gpu=8",
  });
});

test("with the controller down, what would wait for it is not asked", async () => {
  const asked: string[] = [];
  const facts = await askSiteFacts({
    environment: {},
    run: (argv): Promise<Ended> => {
      asked.push(argv.join(" "));
      const stdout = argv[1] === "ping" ? "Slurmctld(primary) at a is DOWN\n" : "slurm 22.05.8\n";
      return Promise.resolve({
        argv,
        exitCode: 0,
        signal: undefined,
        stdout,
        stderr: "",
        timedOut: false,
        canceled: false,
        spawnError: undefined,
        durationMs: 3,
        ok: true,
      });
    },
  });
  assert.equal(facts.version, "22.05.8");
  assert.equal(facts.controller.up, false);
  assert.ok(!asked.some((line) => line.includes("show config")), asked.join("; "));
});
