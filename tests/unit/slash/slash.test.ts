import assert from "node:assert/strict";
import test from "node:test";
import type { Request } from "../../../lib/actions/desk.ts";
import { refuse } from "../../../lib/actions/outcome.ts";
import { RefusedError, SchedulerError } from "../../../lib/base/errors.ts";
import { displayWidth } from "../../../lib/base/width.ts";
import { parseSlash } from "../../../lib/slash/parse.ts";
import type { ParsedSlash } from "../../../lib/slash/parse.ts";
import { answerSlash, runSlash } from "../../../lib/slash/run.ts";
import { SLASH, usageOf } from "../../../lib/slash/table.ts";
import { INFO, scriptedDesk, tickNumber } from "../../support/scripted-desk.ts";

const CLOCK = { now: () => 3_600_000 };

function parsed(text: string): ParsedSlash {
  const found = parseSlash(text);
  assert.ok(found !== undefined && "command" in found, `${text}: ${JSON.stringify(found)}`);
  return found;
}

function mistake(text: string): string {
  const found = parseSlash(text);
  assert.ok(found !== undefined && "mistake" in found, text);
  return found.mistake;
}

async function said(text: string, desk = scriptedDesk(40)): Promise<string> {
  return (await runSlash(desk, parsed(text), "cli:alice", CLOCK)).text;
}

test("G.7: every command of the table answers, and each that acts asks the Desk exactly once", async () => {
  const examples: Record<string, string> = {
    run: "3",
    cancel: "3",
    tail: "3",
    pause: "3",
    resume: "3",
    prune: "3 diverged",
    bump: "mem 16G",
    confirm: "c1",
    deny: "c1",
  };
  for (const command of SLASH) {
    const desk = scriptedDesk(40);
    const line = `/${command.name} ${examples[command.name] ?? ""}`;
    const answer = await runSlash(desk, parsed(line), "discord:42", CLOCK);
    assert.ok(answer.text.length > 0, line);
    assert.doesNotMatch(answer.text, /Unexpected error|undefined|\[object/, line);
    assert.equal(desk.acted.length, command.acts ? 1 : 0, line);
    if (command.acts) assert.equal(desk.acted[0]!.by, "discord:42");
  }
});

test("every command fits a post and 80 columns, also with 10,000 trials of hostile names", async () => {
  const names = [
    "🐕".repeat(60),
    "a\nb\u001b[2J",
    "漢字".repeat(50),
    "x".repeat(400),
    "`",
    "👨‍👩‍👧‍👦".repeat(40),
  ];
  const examples: Record<string, string> = { tail: "3 1000", metrics: "", ticks: "50" };
  for (const command of SLASH.filter(({ acts }) => !acts)) {
    for (const page of ["", " 2", " 99999"]) {
      const desk = scriptedDesk(10_000, {
        name: (index) => names[index % names.length]!,
        plan: () => names.join("\n").repeat(300),
        ticks: ({ limit = 10 } = {}) =>
          Array.from({ length: limit }, (_, i) => tickNumber(i, { summary: names.join(" ") })),
        info: () => ({ ...INFO, sweep: names.join(" "), halted: "x\n".repeat(3000) }),
      });
      const paged = command.arguments[0]?.kind === "page" ? page : "";
      const line = `/${command.name} ${examples[command.name] ?? ""}${paged}`;
      const { text } = await runSlash(desk, parsed(line), "cli:alice", CLOCK);
      assert.ok(text.length <= 1900, `${line}: ${text.length}`);
      assert.doesNotMatch(text, /[^\P{Cc}\n]/u, line);
      if (!TABLES.has(command.name)) continue;
      for (const row of text.split("\n").filter((one) => /^ *\d+ {2}/.test(one))) {
        assert.ok(displayWidth(row) <= 80, row);
      }
    }
  }
});

const TABLES = new Set(["status", "running", "stats", "results", "params", "metrics"]);

test("pages go on where the last one ended, and say how", async () => {
  const first = await said("/status", scriptedDesk(10_000));
  assert.match(first, /\n1-18 of 10000; \/status 2 shows more\n/);
  assert.match(first, /2500 running, 2500 completed, 2500 failed, 2500 ready of 10000/);
  assert.match(first, /^Trial {2}Status +Time +Step +Name +Note\n +0 {2}running/);
  assert.match(await said("/status 2", scriptedDesk(10_000)), /19-36 of 10000/);
  assert.match(await said("/status 9999", scriptedDesk(40)), /Page 9999 is empty: there are 3/);
  assert.match(await said("/status", scriptedDesk(0)), /There are no trials/);
  assert.doesNotMatch(await said("/running"), /completed {2}/);
});

test("acting commands ask for what they say", async () => {
  const asks = async (line: string): Promise<Request> => {
    const desk = scriptedDesk(40);
    await runSlash(desk, parsed(line), "cli:alice", CLOCK);
    return desk.acted[0]!.request;
  };
  const cases: [string, Request][] = [
    ["/run 3", { verb: "run", indices: [3] }],
    ["/run 3 force", { verb: "run", indices: [3], force: true }],
    ["/run_all", { verb: "run" }],
    ["/run-all", { verb: "run" }],
    ["/cancel 0, 3 7-9", { verb: "stop", indices: [0, 3, 7, 8, 9] }],
    ["/cancel_all", { verb: "stop", indices: "all" }],
    ["/stop_all", { verb: "stop", indices: "all" }],
    ["/stop", { verb: "leave", reason: "/stop" }],
    ["/SHUTDOWN", { verb: "leave", reason: "/stop" }],
    ["/pause 3", { verb: "pause", indices: [3] }],
    ["/resume 3-4", { verb: "resume", indices: [3, 4] }],
    ["/prune 3 it went nowhere", { verb: "prune", indices: [3], reason: "it went nowhere" }],
    ["/sh", { verb: "halve", dryRun: false }],
    ["/sh dry_run", { verb: "halve", dryRun: true }],
    ["/halt", { verb: "halt", reason: "asked for with /halt" }],
    ["/halt bug in the loader", { verb: "halt", reason: "bug in the loader" }],
    ["/continue", { verb: "continue" }],
    ["/tick", { verb: "tick" }],
    ["/confirm c1", { verb: "confirm", id: "c1", yes: true }],
    ["/deny c1", { verb: "confirm", id: "c1", yes: false }],
    ["/bump mem 16G", { verb: "bump", what: "memory", to: 16_384, resubmit: true }],
    ["/bump mem +50%", { verb: "bump", what: "memory", percent: 50, resubmit: true }],
    ["/bump time 1h30m 3,7", {
      verb: "bump",
      what: "time",
      to: 5400,
      resubmit: true,
      trials: [3, 7],
    }],
    ["/bump time 1-12", { verb: "bump", what: "time", to: 129_600, resubmit: true }],
  ];
  for (const [line, request] of cases) assert.deepEqual(await asks(line), request, line);
});

test("G.1.10: an amount that SLURM would refuse is refused in words and asks for nothing", async () => {
  for (const amount of ["lots", "0", "12.00.1G", "-5G", "UNLIMITED"]) {
    const desk = scriptedDesk(4);
    const time = await said(`/bump time ${amount}`, desk);
    assert.match(time, /^Cannot /, amount);
    assert.deepEqual(desk.acted, []);
  }
});

test("a refusal, a failure of the scheduler and a warning are each told in words", async () => {
  const desk = scriptedDesk(4);
  desk.outcome = refuse("Cannot run trial 1: it is running", { hint: "Add force" });
  assert.equal(await said("/run 1", desk), "Cannot run trial 1: it is running\nAdd force");
  desk.outcome = new SchedulerError("unreachable", "Cannot reach SLURM: timed out");
  assert.equal(await said("/run 1", desk), "Cannot reach SLURM: timed out");
  desk.outcome = new RefusedError("Cannot change the sweep", { hint: "wait", facts: {} });
  assert.equal(await said("/cancel_all", desk), "Cannot change the sweep\nHint: wait");
  desk.outcome = { done: true, text: "Stopped 3 trials", data: {}, warnings: ["1 had ended"] };
  assert.equal(await said("/cancel_all", desk), "Stopped 3 trials\nNote: 1 had ended");
});

test("a look that fails is told as well, and throws nothing", async () => {
  const broken = scriptedDesk(4, {
    status() {
      throw new TypeError("boom");
    },
  });
  assert.match(await said("/status", broken), /Unexpected error: boom/);
});

test("a mistyped command gets the nearest one, a message is no command", () => {
  assert.match(
    mistake("/statsu"),
    /There is no command \/statsu\. Did you mean \/(stats|status)\?/,
  );
  assert.match(mistake("/frobnicate"), /\/help lists them/);
  assert.equal(parseSlash("how is it going?"), undefined);
  assert.equal(parseSlash("/home/alice/data is the folder"), undefined);
  assert.equal(parseSlash("/ what"), undefined);
  assert.equal(parsed("  /status  2 ").args[0], "2");
  assert.equal(parsed("/res").command, "results");
  assert.equal(parsed("/?").command, "help");
});

test("arguments that cannot be read are refused with what is wanted", () => {
  assert.equal(mistake("/run"), "/run needs indices: /run <indices> [force]");
  assert.match(mistake("/run three"), /wanted are indices and ranges/);
  assert.match(mistake("/run 9-3"), /wanted are indices and ranges/);
  assert.match(mistake("/run 3 forse"), /force is "force"/);
  assert.match(mistake("/tail -1"), /one trial's index/);
  assert.match(mistake("/tail 3 0"), /at least 1/);
  assert.match(mistake("/status all"), /whole number of at least 1/);
  assert.match(mistake("/bump disk 3G"), /what is "mem" or "time"/);
  assert.match(mistake("/info now please"), /takes no more/);
  for (const command of SLASH) assert.match(usageOf(command), /^\/[a-z_]+( [<[][a-z_]+[>\]])*$/);
});

test("HyperHerd's /stop 3 cancelled a trial: here it stops nothing and says what does", () => {
  assert.equal(
    mistake("/stop 3"),
    "/stop stops the monitor and takes no index; /cancel 3 cancels trial 3.",
  );
});

test("G.5.31: /tail shows the newest lines, and all of them as a file", async () => {
  const answer = await runSlash(scriptedDesk(4), parsed("/tail 1 1000"), "x", CLOCK);
  assert.match(answer.text, /^stderr of trial 1:\n…\nline \d+\n/);
  assert.match(answer.text, /line 999$/);
  assert.ok(answer.code);
  assert.equal(answer.attachment!.name, "trial-1.stderr.log");
  assert.equal(answer.attachment!.text.split("\n").length, 1000);
  const short = await runSlash(scriptedDesk(4), parsed("/tail 1"), "x", CLOCK);
  assert.equal(short.attachment, undefined);
  assert.match(await said("/tail 99", scriptedDesk(4)), /^There is no trial 99/);
});

test("/tail shows standard output where standard error is silent, and an empty log is said to be", async () => {
  const quiet = scriptedDesk(4, {
    log: (_, { stream }) => {
      const divider = "===== herd: trial 1, attempt 1, job 7_1 =====";
      const text = stream === "stderr" ? `${divider}\n` : `${divider}\n\x1b[31mepoch 1\x1b[0m`;
      return { text, next: 0, size: text.length };
    },
  });
  assert.match(await said("/tail 1", quiet), /^stdout of trial 1:\n=====.*\nepoch 1$/);
  assert.equal(await said("/tail 1 20 stderr", quiet), "Trial 1 has written nothing yet.");
});

test("/metrics names them, or shows one for each trial", async () => {
  assert.match(await said("/metrics"), /val\/acc +12 +0\.5\nloss +12 +no number/);
  const one = await said("/metrics val/acc");
  assert.match(one, /^Rank {2}Trial +Value {2}Values\n +1 +39 +0\.39 {2}lr=39/);
  assert.match(one, /val\/acc, largest first, by final results\nthe best 18 of 40$/);
});

test("/results is a table with a file of all rows", async () => {
  const answer = await runSlash(scriptedDesk(40), parsed("/results"), "x", CLOCK);
  assert.match(answer.text, /^Trial {2}Name +acc {2}loss\n/);
  const rows = answer.attachment!.text.trimEnd().split("\n");
  assert.equal(rows[0], "trial_id\texperiment_name\tlr\tacc\tloss");
  assert.equal(rows.length, 41);
  assert.equal(rows[40], "39\tlr-39\t39\t0.39\t1");
});

test("G.1.4: /info tells of phase, cost and what waits for a person", async () => {
  const confirmations = [{ id: "c1", what: "stop all", why: "", expiresAt: 3_660_000 }];
  const text = await said("/info", scriptedDesk(4, { info: () => ({ ...INFO, confirmations }) }));
  assert.match(text, /Phase {4}live/);
  assert.match(text, /Uptime {3}1 h/);
  assert.match(text, /Ticks {4}14, the next in 7 min/);
  assert.match(text, /\$0\.42 for 7 calls of the model, \$0\.12 of it today/);
  assert.match(text, /stop all: \/confirm c1 or \/deny c1, within 1 min/);
});

test("/queue tells reasons with their meaning, and the next starts", async () => {
  const text = await said("/queue");
  assert.match(text, /^2 waiting, 1 running\n2 × Priority: other jobs come first \(3,7\)\n/);
  assert.match(text, / +3 {2}7_3 {2}in 10 min {2}2026-11-21 01:00/);
  const idle = scriptedDesk(4, {
    queue: () => Promise.resolve({ waiting: 0, running: 4, slots: 4 }),
  });
  assert.equal(await said("/queue", idle), "Nothing waits; 4 running of 4 at once.");
});

test("/plan comes in pages with the whole as a file, and before the interview says so", async () => {
  const long = Array.from({ length: 300 }, (_, i) => `- rule ${i}`).join("\n");
  const answer = await runSlash(scriptedDesk(1, { plan: () => long }), parsed("/plan"), "x", CLOCK);
  assert.match(answer.text, /page 1 of 2; \/plan 2$/);
  assert.equal(answer.attachment!.text, long);
  assert.match(await said("/plan", scriptedDesk(1, { plan: () => undefined })), /no plan yet/);
});

test("/budget and /ticks show what was spent and what was said last", async () => {
  assert.match(await said("/budget"), /Day: {3}\$0\.12 of \$10\nSweep: \$0\.42 of no limit/);
  const ticks = (await said("/ticks 3")).split("\n");
  assert.equal(ticks.length, 3);
  assert.match(ticks[2]!, /^#3 1 h ago, scheduled, 2 s, \$0: tick 3 clean\./);
});

test("/help lists every command, or explains one", async () => {
  const all = await said("/help");
  for (const { name } of SLASH) assert.match(all, new RegExp(`^/${name}\\b`, "m"));
  assert.match(await said("/help /tail"), /^\/tail <index> \[lines\] \[stream\]\n/);
  assert.match(await said("/help tial"), /Did you mean \/tail\?/);
});

test("a line of any channel is answered when it is a command, mistakes too", async () => {
  const desk = scriptedDesk(4);
  assert.equal(await answerSlash(desk, "hello", "cli:alice", CLOCK), undefined);
  assert.match((await answerSlash(desk, "/nope", "cli:alice", CLOCK))!.text, /no command/);
  assert.match((await answerSlash(desk, "/tick", "cli:alice", CLOCK))!.text, /Done as asked/);
});
