import assert from "node:assert/strict";
import test from "node:test";
import { judgeMount, judgeProbe, judgeSpace } from "../../../lib/daemon/folder-findings.ts";
import { judgeBash, judgeLimits } from "../../../lib/daemon/machine-findings.ts";
import { judgePartitions, judgePrograms, judgeSite } from "../../../lib/daemon/slurm-findings.ts";
import type { Finding } from "../../../lib/base/finding.ts";
import type { Limits } from "../../../lib/schedulers/scheduler.ts";
import type { SiteFacts } from "../../../lib/schedulers/slurm/site-facts.ts";

const LIMITS: Limits = {
  maxArraySize: 1001,
  maxSubmit: 100,
  submittedNow: 7,
  maxTimeSeconds: 3600,
  maxMemoryMiB: 1000,
  maxCpusPerNode: 4,
  accounting: true,
  version: "22.05.8",
  partitions: ["short", "long"].map((name) => ({
    name,
    isDefault: name === "short",
    up: name === "short",
    maxTimeSeconds: 3600,
    defaultTimeSeconds: undefined,
    nodes: 1,
    cpusPerNode: 4,
    memoryMiBPerNode: 1000,
    gres: undefined,
  })),
};

function site(changes: Partial<SiteFacts> = {}): SiteFacts {
  return {
    version: "22.05.8",
    controller: { up: true, detail: "Slurmctld(primary) at a is UP" },
    config: new Map([["KillWait", "30 sec"]]),
    accounting: { answers: true, detail: "", durationMs: 5 },
    qos: [],
    ...changes,
  };
}

const marks = (findings: readonly Finding[]) => findings.map(({ mark }) => mark);
const worst = (findings: readonly Finding[]) =>
  marks(findings).includes("bad") ? "bad" : marks(findings).includes("doubt") ? "doubt" : "good";

test("a healthy site has nothing to mend", () => {
  assert.equal(worst(judgeSite(site(), LIMITS)), "good");
  assert.equal(
    worst(judgePrograms({ name: "this machine", isInstalled: () => true }, true)),
    "good",
  );
});

test("each trouble of a site is told apart", () => {
  const cases: [Partial<SiteFacts>, Finding["mark"], RegExp][] = [
    [{ controller: { up: false, detail: "DOWN" } }, "bad", /does not answer: DOWN/],
    [{ version: "18.08.1" }, "doubt", /older/],
    [{ accounting: { answers: false, detail: "refused", durationMs: 1 } }, "doubt", /refused/],
    [
      { config: new Map([["AccountingStorageType", "accounting_storage/none"]]) },
      "doubt",
      /There is no accounting/,
    ],
    [{ config: new Map([["KillWait", "2 sec"]]) }, "doubt", /2 seconds after its warning/],
    [
      { config: new Map([["JobAcctGatherType", "jobacct_gather/none"]]) },
      "doubt",
      /Memory of jobs is not measured/,
    ],
  ];
  for (const [changes, mark, pattern] of cases) {
    const found = judgeSite(site(changes), LIMITS).find(({ message }) => pattern.test(message));
    assert.equal(found?.mark, mark, `${pattern}`);
  }
  const broken = judgeSite(site(), new Error("Cannot read"));
  assert.equal(worst(broken), "bad");
  assert.equal(worst(judgeSite(site(), { ...LIMITS, maxArraySize: 0 })), "bad");
});

test("only a QOS that limits something is shown", () => {
  const none = { maxWall: "", maxJobs: "", maxSubmit: "", maxResources: "" };
  const qos = [{ name: "normal", ...none }, { name: "gpu", ...none, maxJobs: "4" }];
  const shown = judgeSite(site({ qos }), LIMITS).filter(({ message }) => /QOS/.test(message));
  assert.deepEqual(shown.map(({ message }) => message), ["QOS gpu, per user: 4 running"]);
});

test("the partition of the YAML has to exist; one that is down is known", () => {
  assert.equal(worst(judgePartitions(LIMITS, "gpu")), "bad");
  assert.match(judgePartitions(LIMITS, "gpu")[0]?.mend ?? "", /"short", "long"/);
  const down = judgePartitions(LIMITS, "long");
  assert.equal(worst(down), "doubt");
  assert.match(down[0]!.message, /the YAML asks for it/);
  assert.equal(worst(judgePartitions({ ...LIMITS, partitions: [] }, undefined)), "bad");
});

test("a folder of this machine's own matters only to a cluster", () => {
  const own = { type: "xfs", folder: "/", shared: false };
  assert.deepEqual(marks(judgeMount(own, true)), ["doubt"]);
  assert.deepEqual(marks(judgeMount(own, false)), ["good"]);
  assert.deepEqual(marks(judgeMount({ ...own, shared: true }, true)), ["good"]);
  assert.deepEqual(marks(judgeMount({ ...own, shared: undefined }, true)), ["doubt"]);
  assert.deepEqual(marks(judgeMount(undefined, true)), ["doubt"]);
});

test("space and files that run out are doubts before they are bad", () => {
  const gib = 1024 ** 3;
  assert.equal(worst(judgeSpace({ bytes: 9 * gib, inodes: undefined })), "good");
  assert.equal(worst(judgeSpace({ bytes: gib / 2, inodes: 1e6 })), "doubt");
  assert.equal(worst(judgeSpace({ bytes: 1e6, inodes: 1e6 })), "bad");
  assert.equal(worst(judgeSpace({ bytes: 9 * gib, inodes: 5_000 })), "doubt");
  assert.equal(worst(judgeSpace({ bytes: 9 * gib, inodes: 3 })), "bad");
});

test("what a file system cannot do is judged by what depends on it", () => {
  const fine = { failed: undefined, hardLinks: true, exclusive: true, syncMs: 3, skewMs: 0 };
  assert.equal(worst(judgeProbe(fine, "/w")), "good");
  assert.equal(worst(judgeProbe({ ...fine, hardLinks: false }, "/w")), "doubt");
  assert.equal(worst(judgeProbe({ ...fine, exclusive: false }, "/w")), "bad");
  assert.equal(worst(judgeProbe({ ...fine, syncMs: 4_000 }, "/w")), "doubt");
  const skewed = judgeProbe({ ...fine, skewMs: -90_000 }, "/w");
  assert.match(skewed.find(({ mark }) => mark === "doubt")!.message, /90 s behind/);
  const failed = { ...fine, failed: { what: "replace a file by rename", code: "EPERM" } };
  assert.match(judgeProbe(failed, "/w y")[0]!.message, /Cannot replace a file by rename .*EPERM/);
});

test("bash must have what batch scripts use, in any language", () => {
  assert.equal(judgeBash("GNU bash, version 4.2.46(2)-release (x86_64-redhat-linux)").mark, "good");
  assert.equal(judgeBash("GNU bash, Version 5.2.15(1)-release").mark, "good");
  assert.equal(judgeBash("GNU bash, version 3.2.57(1)-release (arm64)").mark, "bad");
  assert.equal(judgeBash("").mark, "bad");
});

test("limits of the shell are told when they are in the way", () => {
  assert.equal(worst(judgeLimits(new Map([["Max open files", 1024]]))), "good");
  for (const name of ["Max open files", "Max processes", "Max address space", "Max cpu time"]) {
    const [found] = judgeLimits(new Map([[name, 32]]));
    assert.equal(found?.mark, "doubt", name);
    assert.match(found.message, /32/);
  }
});
