import { explain } from "../../../lib/base/explain.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AGENT_DEFAULTS,
  MONITOR_DEFAULTS,
  REMEDIATION_DEFAULTS,
} from "../../../lib/sweep/read-monitor.ts";
import {
  errorOf,
  FILE,
  mistakesOf,
  noticesOf,
  read,
  refuses,
  REST,
} from "../../support/reading.ts";

const MINIMAL = "name: s\nparameters:\n  a: {type: discrete, values: [1], default: 1}\n";

test("the least configuration gets HyperHerd's defaults", () => {
  assert.deepEqual(read(MINIMAL), {
    name: "s",
    grid: { kind: "one-at-a-time" },
    parameters: [{
      name: "a",
      abbrev: undefined,
      type: "discrete",
      values: [1],
      labels: undefined,
      default: 1,
    }],
    zip: [],
    repeats: undefined,
    trialsFile: undefined,
    conditions: [],
    staticOverrides: [],
    launcher: "",
    scheduler: undefined,
    slurm: {
      partition: undefined,
      account: undefined,
      qos: undefined,
      constraint: undefined,
      nodes: undefined,
      ntasks: undefined,
      cpusPerTask: 1,
      memoryMiB: 8192,
      timeSeconds: 3600,
      gres: undefined,
      gpus: undefined,
      exclude: undefined,
      requeue: undefined,
      mailUser: undefined,
      mailType: undefined,
      extraArgs: [],
      maxConcurrent: undefined,
      signal: undefined,
      export: [],
      host: undefined,
      path: undefined,
    },
    sync: [],
    local: { slots: undefined },
    halving: undefined,
    pruneGraceSeconds: 600,
    discord: {
      guildId: undefined,
      channelId: undefined,
      channelName: undefined,
      dashboardRefreshSeconds: 60,
      operators: undefined,
      viewers: undefined,
    },
    mcpServers: [],
    monitor: MONITOR_DEFAULTS,
    remediation: REMEDIATION_DEFAULTS,
    agent: AGENT_DEFAULTS,
  });
  assert.deepEqual(noticesOf(MINIMAL), []);
});

test("every mistake of a file is told at once, in the order of the file", () => {
  const error = errorOf(`name: my sweep
slrm: {partition: gpu}
parameters:
  lr: {type: continuous, low: 2, high: 1}
  opt: {type: discrete, values: [adam], default: sgd}
grid: [lr, opd]
`);
  assert.deepEqual(
    error.mistakes.map(({ file, line, column, path }) => [file, line, column, path]),
    [
      [FILE, 1, 7, "name"],
      [FILE, 2, 1, "slrm"],
      [FILE, 4, 31, "parameters.lr.low"],
      [FILE, 5, 50, "parameters.opt.default"],
      [FILE, 6, 12, "grid[1]"],
    ],
  );
  assert.equal(error.message, 'Cannot use "hyperherd.yaml": found 5 mistakes');
  assert.equal(error.hint, undefined);
  assert.equal(error.mistakes[0]?.hint, 'Write for example "my-sweep"');
  assert.deepEqual(error.mistakes[1], {
    file: FILE,
    line: 2,
    column: 1,
    path: "slrm",
    message: 'Unknown key "slrm" in the top level, allowed are name, grid, samples, seed, zip, ' +
      "repeats, trials, slurm, local, scheduler, launcher, static_overrides, parameters, " +
      "conditions, successive_halving, prune_grace_seconds, discord, mcp_servers, monitor, " +
      "remediation, agent, sync",
    hint: 'Did you mean "slurm"?',
  });
  assert.equal(error.mistakes[4]?.hint, 'Did you mean "opt"?');
});

test("G.1.15: a sweep's name with a newline or anything else unsafe is refused", () => {
  const hostile = [
    '"a\\n#SBATCH --wrap=x"',
    '"a b"',
    "-a",
    ".a",
    "a/b",
    "'$(id)'",
    "'a;b'",
    "'é'",
    '"a\\0"',
    `"${"a".repeat(101)}"`,
    '""',
    "[a]",
  ];
  for (const name of hostile) {
    const [first] = mistakesOf(MINIMAL.replace("name: s", `name: ${name}`));
    assert.match(first!, /^1:7 Cannot read name: found /, name);
  }
  for (const name of ["a", "a.b_c-1", "007", "on", "a".repeat(100)]) {
    assert.equal(read(MINIMAL.replace("name: s", `name: ${name}`)).name, name);
  }
});

test("a file that is no single mapping of YAML is refused with the place", () => {
  const table: readonly [string, string][] = [
    ["", "1:1 Cannot read the file: it is empty"],
    ["# nothing\n", "1:1 Cannot read the file: it is empty"],
    ["---\n", "1:1 Cannot read the file: it holds no settings"],
    ["- a\n", "1:1 Cannot read the file: found a list at the top"],
    ["just text\n", "1:1 Cannot read the file: found a single value at the top"],
    ["name: a\n\tgrid: all\n", "2:1 Cannot read the file as YAML: found a tab"],
    ["slurm:\n\tmem: 8G\n", "2:1 Cannot read the file as YAML: found a tab"],
    ["name: a\n---\nname: b\n", "3:1 Cannot read the file: found 2 YAML documents"],
    ["name: a: b\n", '1:7 Cannot read the file as YAML: found a second ": "'],
    ["name: @b\n", "1:7 Cannot read the file as YAML: found an unquoted text"],
    ["name: [a\n", "2:1 Cannot read the file as YAML: flow sequence"],
    [`name: ${"[".repeat(20_000)}`, "1:"],
  ];
  for (const [text, expected] of table) {
    const [first] = mistakesOf(text);
    assert.equal(first?.slice(0, expected.length), expected, text.slice(0, 80));
  }
});

test("duplicate keys, foreign tags and keys that are no words are refused", () => {
  refuses([
    ["grid: all\ngrid: all", '2:1 Cannot use "grid" twice: it stands on line 1 already'],
    ["slurm: {mem: 8G, mem: 9G}", '1:18 Cannot use "mem" twice'],
    ["launcher: !!python/name:os.system x", '1:35 Cannot use the tag "tag:yaml.org,2002:python/'],
    ["slurm: {__proto__: 3}", '1:9 Cannot use "__proto__" as a key'],
    ["? [a, b]\n: 3", "1:3 Cannot use a list or a mapping as a key"],
  ]);
  assert.equal(read(`launcher: !!str 007${REST}`).launcher, "007");
});

test("anchors, aliases and merge keys work as in PyYAML", () => {
  const config = read(`
name: s
x-common: &common {type: discrete, values: [1, 2], default: 1}
x-more: &more {default: 2, abbrev: m}
grid: all
parameters:
  a: *common
  b: {<<: *common, default: 2}
  c: {<<: [*more, *common]}
`);
  assert.deepEqual(
    config.parameters.map(({ name, default: value, abbrev }) => [name, value, abbrev]),
    [
      ["a", 1, undefined],
      ["b", 2, undefined],
      ["c", 2, "m"],
    ],
  );
});

test("an alias that leads nowhere, into itself or into too much is refused", () => {
  refuses([
    ["launcher: *nowhere", '1:11 Cannot follow the alias "*nowhere": no anchor has this name'],
    ["static_overrides: &a [*a]", '1:23 Cannot follow the alias "*a": it contains itself'],
    ["slurm: {<<: 3}", '1:13 Cannot merge with "<<"'],
  ]);
  const bomb = ["x-0: &a0 [1,1,1,1,1,1,1,1,1,1]"];
  for (let i = 1; i < 12; i++) {
    bomb.push(`x-${i}: &a${i} [${Array(10).fill(`*a${i - 1}`).join(",")}]`);
  }
  const started = performance.now();
  assert.match(
    mistakesOf(`${bomb.join("\n")}\n${REST}`)[0]!,
    /Cannot unfold the aliases: they stand for more than 10000 values/,
  );
  assert.ok(performance.now() - started < 5000);
});

test("a mistake in an anchor that is used twice is told once", () => {
  assert.deepEqual(
    mistakesOf("name: s\ngrid: all\nparameters:\n  a: &a {type: discrete, values: []}\n  b: *a\n"),
    ["4:34 Cannot read parameters.a.values: found an empty list, expected a list of at least one value"],
  );
});

test("sections that other parts own, and keys for anchors, may hold anything", () => {
  const config = read(
    `sync: [y]\nx-mine: {z: 1}${REST}`,
  );
  assert.equal(config.name, "s");
});

test("legacy names are understood, with a notice", () => {
  const text = `constraints:
  - {when: {opt: sgd}, set: {m: 0.9}}
hydra:
  run: {dir: x}
  static_overrides: [a=1]
workspace: /old
${REST}`;
  const config = read(text);
  assert.deepEqual(config.staticOverrides, ["a=1"]);
  assert.deepEqual(config.conditions.map(({ set }) => set), [{ m: 0.9 }]);
  assert.deepEqual(noticesOf(text), [
    '1:1 Took "constraints" for "conditions": write the new name',
    '3:1 Ignored the rest of "hydra": run',
    "5:3 Took hydra.static_overrides for static_overrides: write them at the top level",
    '6:1 Ignored "workspace": it is the folder that this file stands in',
  ]);
});

test("static overrides at the top level win over hydra's", () => {
  const text = `static_overrides: [b=2]\nhydra: {static_overrides: [a=1]}${REST}`;
  assert.deepEqual(read(text).staticOverrides, ["b=2"]);
  assert.deepEqual(noticesOf(text), [
    "2:1 Ignored hydra.static_overrides: static_overrides at the top level win",
  ]);
  refuses([[
    "conditions: []\nconstraints: []",
    '2:1 Cannot use "constraints" beside "conditions"',
  ]]);
});

test("static overrides stand as written, and one that hides a parameter is told", () => {
  const text = `static_overrides: ["a b", 3, +x=1, lr=0.2]${REST}`;
  assert.deepEqual(read(text).staticOverrides, ["a b", "3", "+x=1", "lr=0.2"]);
  assert.match(noticesOf(text)[0]!, /^1:36 Found "lr" among parameters and static_overrides/);
  refuses([
    ["static_overrides: [a: 1]", "1:20 Cannot read static_overrides[0]: found a mapping"],
    ['static_overrides: ["a\\nb"]', "1:20 Cannot read static_overrides[0]"],
    ["static_overrides: a=1", '1:19 Cannot read static_overrides: found "a=1", expected a list'],
    ["static_overrides: [seed=1]\nrepeats: 2", '1:20 Cannot repeat with "seed"'],
  ]);
  assert.equal(errorOf(`static_overrides: [a: 1]${REST}`).hint, 'Write it as "a=1"');
});

test("a key without a value counts as absent", () => {
  const config = read(`slurm:\ndiscord:\nconditions:\ngrid:\nlauncher:\nmcp_servers:${REST}`);
  assert.equal(config.slurm.memoryMiB, 8192);
  assert.deepEqual(config.grid, { kind: "one-at-a-time" });
});

test("missing keys are told where they should stand", () => {
  assert.deepEqual(mistakesOf("grid: all\n"), [
    `1:1 Missing key "name" in the top level: expected the sweep's name`,
    '1:1 Missing key "parameters" in the top level: expected at least one parameter',
  ]);
});

test("the single settings are checked", () => {
  refuses([
    ["scheduler: slum", '1:12 Cannot read scheduler: found "slum", expected "slurm" or "local"'],
    ["local: {slots: 0}", "1:16 Cannot read local.slots: found 0, expected a whole number from 1"],
    ["local: {slot: 1}", '1:9 Unknown key "slot" in local, allowed are slots'],
    ["prune_grace_seconds: -1", "1:22 Cannot read prune_grace_seconds: found -1"],
    ["prune_grace_seconds: 1.5", "1:22 Cannot read prune_grace_seconds: found 1.5"],
    ["prune_grace_seconds: soon", '1:22 Cannot read prune_grace_seconds: found "soon"'],
    ["prune_grace_seconds: true", "1:22 Cannot read prune_grace_seconds: found true"],
    ['launcher: "a\\nb"', "1:11 Cannot read launcher"],
    ["launcher: [a]", "1:11 Cannot read launcher: found a list, expected a text"],
  ]);
  const config = read(
    `scheduler: local\nlocal: {slots: 3}\nprune_grace_seconds: "0"\nlauncher: ./a b.sh${REST}`,
  );
  assert.equal(config.scheduler, "local");
  assert.equal(config.local.slots, 3);
  assert.equal(config.pruneGraceSeconds, 0);
  assert.equal(config.launcher, "./a b.sh");
});

test("Windows line ends and a byte order mark change nothing", () => {
  assert.equal(read(`\uFEFF${MINIMAL.replaceAll("\n", "\r\n")}`).name, "s");
  assert.deepEqual(mistakesOf(`\uFEFFnaem: s\r\n${MINIMAL}`.replace("name: s\n", "name: s\r\n")), [
    mistakesOf(`naem: s\n${MINIMAL}`)[0]!,
  ]);
});

test("no text makes the reader fail in another way than by telling mistakes", () => {
  const source = `${MINIMAL}grid: [a]\nslurm: {time: 1-2, mail: {user: a@b}}\nconditions:\n` +
    '  - when: {a: {in: [1]}, expr: "a > 1"}\n    set: {b: {expr: "a * 2"}}\n';
  const pieces = [
    "",
    " ",
    "\n",
    ":",
    "[",
    "}",
    "*a",
    "&a ",
    "!!int ",
    "null",
    '"',
    "- ",
    "? ",
    "\t",
  ];
  for (let at = 0; at < source.length; at++) {
    for (const piece of pieces) {
      const text = source.slice(0, at) + piece + source.slice(at + 1);
      try {
        read(text);
      } catch (error) {
        assert.equal((error as Error).name, "UserError", text);
      }
    }
  }
});

test("each mistake is printed once, with its own hint", () => {
  const single = explain(errorOf(`nme: s${REST.replace("name: s", "")}`), "terminal");
  assert.match(single, /^hyperherd\.yaml:1:1: Unknown key "nme"/);
  assert.equal(single.match(/Unknown key/g)?.length, 1);
  assert.match(single, /\nHint: Did you mean "name"\?$/);
  const several = explain(errorOf(`slrm: {}\ngrud: all${REST}`), "terminal");
  assert.match(
    several,
    /^Cannot use "hyperherd.yaml": found 2 mistakes\n {2}hyperherd.yaml:1:1 slrm: /,
  );
  assert.equal(several.match(/Unknown key/g)?.length, 2);
  assert.equal(several.match(/Did you mean/g)?.length, 2);
});

test("a misspelt key is one mistake, without those that come of its absence", () => {
  const text = (lines: string) => `
name: s
${lines}
parameters:
  a: {type: discrete, values: [1, 2]}
  b: {type: discrete, values: [1, 2]}
`;
  for (const lines of ["grdi: all", "grdi: random\nsamples: 3", "gird: all\nzip: [a, b]"]) {
    const found = mistakesOf(text(lines));
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0]!, /^3:1 Unknown key/);
  }
  assert.equal(mistakesOf(text("zip: [a, b]")).length, 2, "nothing is misspelt here");
});

test("words that share nothing are not suggested", () => {
  assert.equal(
    errorOf(`conditions: [{when: {q: 1}, set: {x: 1}}]
name: s
grid: all
parameters:
  a: {type: discrete, values: [1]}
  b: {type: discrete, values: [1]}
`).hint,
    undefined,
  );
});
