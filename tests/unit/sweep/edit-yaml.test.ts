import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { UserError } from "../../../lib/base/errors.ts";
import { parseDuration } from "../../../lib/sweep/duration.ts";
import { editYaml, memoryYaml, timeYaml } from "../../../lib/sweep/edit-yaml.ts";
import type { YamlEdit } from "../../../lib/sweep/edit-yaml.ts";
import { parseMemory } from "../../../lib/sweep/memory.ts";
import { createStream } from "../../../lib/sweep/random.ts";
import { readConfig } from "../../../lib/sweep/read-config.ts";

const mem = (value = "12G"): YamlEdit => ({ path: ["slurm", "mem"], value });
const time = (value = "1:30:00"): YamlEdit => ({ path: ["slurm", "time"], value });

function refused(text: string, edits: readonly YamlEdit[]): UserError {
  try {
    const made = editYaml(text, edits);
    assert.fail(`It was edited:\n${made}`);
  } catch (error) {
    assert.ok(error instanceof UserError, `${error}`);
    return error;
  }
}

test("a scalar is set in place, and everything around it stays as it was", () => {
  const text = `# my sweep

name:   x      # odd spaces
slurm:

    partition: gpu   # the big one
    mem: 8G          # was 4G
    # time: "10:00"
    time: '00:30:00' # half an hour


parameters: { lr: {type: discrete, values: [1,2]} }   # end`;
  assert.equal(
    editYaml(text, [mem(), time()]),
    text.replace("8G ", "12G ").replace("'00:30:00'", "'1:30:00'"),
  );
});

const ROWS: readonly (readonly [string, string, readonly YamlEdit[], string])[] = [
  ["keeps double quotes", 'slurm: {mem: "4G"}', [mem()], 'slurm: {mem: "12G"}'],
  ["keeps single quotes", "slurm: {mem: '4G'}", [mem()], "slurm: {mem: '12G'}"],
  ["keeps a flow mapping", "slurm: {mem: 4G, a: b}", [mem()], "slurm: {mem: 12G, a: b}"],
  ["keeps JSON", '{"slurm":{"mem":"4G"}}', [mem()], '{"slurm":{"mem":"12G"}}'],
  [
    "quotes a time that stood unquoted",
    "slurm:\n  time: 1:00:00\n",
    [time()],
    'slurm:\n  time: "1:30:00"\n',
  ],
  [
    "replaces an alias where it is used, and the anchor stays",
    "x-m: &m 4G\nslurm:\n  mem: *m # shared\nother: {mem: *m}\n",
    [mem()],
    "x-m: &m 4G\nslurm:\n  mem: 12G # shared\nother: {mem: *m}\n",
  ],
  ["keeps an anchor that nobody uses", "slurm: {mem: &m 4G}\n", [mem()], "slurm: {mem: &m 12G}\n"],
  [
    "keeps CRLF line ends",
    "slurm:\r\n  mem: 4G # a\r\nname: x\r\n",
    [mem(), time()],
    'slurm:\r\n  mem: 12G # a\r\n  time: "1:30:00"\r\nname: x\r\n',
  ],
  ["keeps a byte order mark", "\uFEFFslurm: {mem: 4G}\n", [mem()], "\uFEFFslurm: {mem: 12G}\n"],
  [
    "fills a key without a value",
    "slurm:\n  mem: # todo\n  time:\nname: x\n",
    [mem(), time()],
    'slurm:\n  mem: 12G # todo\n  time: "1:30:00"\nname: x\n',
  ],
  ["fills a key without a colon", "slurm: {mem, a: 1}", [mem()], "slurm: {mem: 12G, a: 1}"],
  ["replaces null", "slurm: {mem: ~, time: null}", [mem()], "slurm: {mem: 12G, time: null}"],
  [
    "takes a value from the line below",
    "slurm:\n  mem:\n    4G # here\n",
    [mem()],
    "slurm:\n  mem:\n    12G # here\n",
  ],
  [
    "replaces a block text and keeps its comment",
    "slurm:\n  mem: >- # folded\n    4G\n  a: b\n",
    [mem()],
    "slurm:\n  mem: 12G # folded\n  a: b\n",
  ],
  ["keeps a tag of text", "slurm: {mem: !!str 4G}", [mem()], "slurm: {mem: !!str 12G}"],
  [
    "adds a key below the last one, in front of the comments that follow",
    "slurm:\n  partition: gpu # big\n  # gpus: 1\n\n# How\ngrid: all\n",
    [mem()],
    "slurm:\n  partition: gpu # big\n  mem: 12G\n  # gpus: 1\n\n# How\ngrid: all\n",
  ],
  [
    "adds a key below a nested list and a block text",
    "slurm:\n  extra_args:\n    - a\n    - |\n      b\nname: x\n",
    [mem()],
    "slurm:\n  extra_args:\n    - a\n    - |\n      b\n  mem: 12G\nname: x\n",
  ],
  [
    "adds a key below a list whose last item is empty",
    "slurm:\n  export:\n    - a\n    - # b\n  # c\nname: x\n",
    [mem()],
    "slurm:\n  export:\n    - a\n    - # b\n  mem: 12G\n  # c\nname: x\n",
  ],
  [
    "adds a key below a list of mappings that is not indented",
    "slurm:\n  x:\n  - a: 1\n    b:\n      - c:\n",
    [mem()],
    "slurm:\n  x:\n  - a: 1\n    b:\n      - c:\n  mem: 12G\n",
  ],
  [
    "adds a key below a text over several lines",
    "slurm:\n  x: one\n    two # c\n  y: 'a\n\n    b'\nname: x\n",
    [mem()],
    "slurm:\n  x: one\n    two # c\n  y: 'a\n\n    b'\n  mem: 12G\nname: x\n",
  ],
  [
    "adds a key where the file has no last line end",
    "slurm:\n   a: b",
    [mem()],
    "slurm:\n   a: b\n   mem: 12G",
  ],
  ["adds a key to a flow mapping", "slurm: {a: b}", [mem()], "slurm: {a: b, mem: 12G}"],
  ["adds a key in front of a last comma", "slurm: {a: b,}", [mem()], "slurm: {a: b, mem: 12G,}"],
  ["adds a key to an empty flow mapping", "slurm: {}\n", [mem()], "slurm: {mem: 12G}\n"],
  [
    "adds a key to a flow mapping in lines",
    "slurm: {\n  a: b  # c\n}\n",
    [mem()],
    "slurm: {\n  a: b, mem: 12G  # c\n}\n",
  ],
  [
    "adds a key beside a merge key, over what is merged",
    "x-d: &d {mem: 4G}\nslurm:\n  <<: *d\nname: x\n",
    [mem()],
    "x-d: &d {mem: 4G}\nslurm:\n  <<: *d\n  mem: 12G\nname: x\n",
  ],
  [
    "turns an alias of a mapping into one that merges it",
    "x-d: &d {mem: 4G, a: b}\nslurm: *d # all\n",
    [mem()],
    "x-d: &d {mem: 4G, a: b}\nslurm: {<<: *d, mem: 12G} # all\n",
  ],
  [
    "makes a section that is missing",
    "name: x\nparameters:\n  a: b\n  # more: c\n",
    [mem(), time()],
    'name: x\nparameters:\n  a: b\n  # more: c\n\nslurm:\n  mem: 12G\n  time: "1:30:00"\n',
  ],
  [
    "makes a section where the last line has no end, indented as the file is",
    "name: x\nparameters:\n    a: b",
    [mem()],
    "name: x\nparameters:\n    a: b\n\nslurm:\n    mem: 12G\n",
  ],
  [
    "makes a section in front of the document's end",
    "---\nname: x\n...\n# after\n",
    [mem()],
    "---\nname: x\n\nslurm:\n  mem: 12G\n...\n# after\n",
  ],
  ["makes a section in a flow mapping", "{name: x}\n", [mem()], "{name: x, slurm: {mem: 12G}}\n"],
  [
    "fills a section without a value",
    "slurm: # later\n  # mem: 4G\nname: x\n",
    [mem()],
    "slurm: # later\n  mem: 12G\n  # mem: 4G\nname: x\n",
  ],
  ["fills a section that is null", "slurm: ~ # none\n", [mem()], "slurm: {mem: 12G} # none\n"],
  [
    "fills the last section, without a line end",
    "name: x\nslurm:",
    [mem()],
    "name: x\nslurm:\n  mem: 12G",
  ],
  [
    "does not add to a text that keeps its blank lines",
    "name: x\nx-t: |+\n  a\n\n",
    [mem()],
    "name: x\nx-t: |+\n  a\n\nslurm:\n  mem: 12G\n",
  ],
  [
    "makes what is missing two levels down",
    "name: x\nmonitor:\n  interview: false\n",
    [{ path: ["monitor", "cadence", "active"], value: 60 }],
    "name: x\nmonitor:\n  interview: false\n  cadence:\n    active: 60\n",
  ],
  [
    "sets numbers and booleans",
    'a: "1"\nb: no\nc: 1\n',
    [
      { path: ["a"], value: 2 },
      { path: ["b"], value: true },
      { path: ["c"], value: 1e-7 },
    ],
    "a: 2\nb: true\nc: 1.0e-7\n",
  ],
  ["changes nothing without an edit", "slurm: {mem: 4G\n}", [], "slurm: {mem: 4G\n}"],
  ["leaves what is so already", "slurm: {mem:   12G}", [mem()], "slurm: {mem:   12G}"],
];

for (const [what, before, edits, after] of ROWS) {
  test(`an edit ${what}`, () => {
    assert.equal(editYaml(before, edits), after);
    assert.equal(editYaml(after, edits), after, "a second time nothing changes");
  });
}

test("text that looks like something else is quoted", () => {
  const texts = ["yes", "No", "12", "007", "1_000", "1e3", "null", "~", "", "a b", "a: b", "#x"];
  const more = [
    "2026-11-21",
    "12:30",
    "0x1F",
    ".inf",
    "- a",
    "'",
    '"',
    "\\",
    "\u2028",
    "é",
    "a\nb",
  ];
  for (const before of ["plain", "'single'", '"double"']) {
    for (
      const value of [...texts, ...more, "\u0000\u007f\u0085", "*a", "&a", "!a", "%", "@", "`"]
    ) {
      const made = editYaml(`a: ${before} # c\nb: 1\n`, [{ path: ["a"], value }]);
      for (const version of ["1.1", "1.2"] as const) {
        assert.deepEqual(parse(made, { version }), { a: value, b: 1 }, made);
      }
      assert.match(made, / # c\nb: 1\n$/);
    }
  }
});

test("an edit that would change something else is refused with what to write", () => {
  const shared = refused("slurm: {mem: &m 4G}\nconditions: [{slurm: {mem: *m}}]\n", [mem()]);
  assert.equal(
    shared.message,
    'Cannot set slurm.mem in "hyperherd.yaml": conditions[0].slurm.mem would change with it',
  );
  assert.equal(shared.hint, `To do it by hand, write 'mem: 12G' under "slurm"`);
  const merged = refused("slurm: &s\n  mem: 4G\nx-a:\n  <<: *s\n", [mem()]);
  assert.match(merged.message, /: x-a\.mem would change with it$/);
  const nested = refused("x-m: &m {cadence: {active: 1, steady: 2}}\nmonitor: *m\n", [
    { path: ["monitor", "cadence", "active"], value: 60 },
  ]);
  assert.match(nested.message, /: monitor\.cadence\.steady would change with it$/);
});

test("an edit of what is no mapping, or holds more than a scalar, is refused", () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ["slurm: [mem]", /slurm is not a mapping/],
    ["slurm: 4G", /slurm is not a mapping/],
    ["slurm: {mem: [4G]}", /it holds a list or a mapping/],
    ["slurm: {mem: {a: b}}", /it holds a list or a mapping/],
    ["slurm: {mem: !!int 4}", /its value has the tag/],
    ["slurm:\n  ? mem\n  a: b\n", /its key has no colon/],
  ];
  for (const [text, why] of rows) {
    const error = refused(text, [mem()]);
    assert.match(error.message, why, text);
    assert.match(error.hint ?? "", /write 'mem: 12G' under "slurm"/);
  }
});

test("a file that cannot be read is not edited", () => {
  for (const text of ["", "a: [", "a: 1\na: 2\n", "\tb: 1", "a: *x\n", "---\na: 1\n---\nb: 1\n"]) {
    const error = refused(text, [mem(), time()]);
    assert.match(error.message, /^Cannot edit "hyperherd.yaml": /, text);
    assert.match(error.hint ?? "", /mem: 12G.*time: "1:30:00"/);
    assert.ok(error.mistakes.length > 0);
  }
});

test("G.1.10: memory and time are written so that SLURM and the reader take them exactly", () => {
  assert.deepEqual([12_288, 12_000, 1500, 1, 2 ** 20].map(memoryYaml), [
    "12G",
    "12000M",
    "1500M",
    "1M",
    "1T",
  ]);
  assert.deepEqual([5400, 129_600, 60, 1, 5401, 86_400, 36_000].map(timeYaml), [
    "1:30:00",
    "1-12:00:00",
    "0:01:00",
    "0:01:00",
    "1:31:00",
    "1-00:00:00",
    "10:00:00",
  ]);
  const random = createStream(10, "resources");
  for (let i = 0; i < 2000; i++) {
    const mib = 1 + Math.floor(random() ** 4 * 4e6);
    assert.equal(parseMemory(memoryYaml(mib)), mib);
    const minutes = 1 + Math.floor(random() ** 4 * 1e5);
    assert.equal(parseDuration(timeYaml(minutes * 60)), minutes * 60);
    assert.match(timeYaml(minutes * 60), /^(\d+-)?\d{1,2}:\d\d:\d\d$/);
  }
  for (const wrong of [0, -1, NaN, Infinity]) {
    assert.throws(() => memoryYaml(wrong), RangeError);
    assert.throws(() => timeYaml(wrong), RangeError);
  }
});

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Every sweep that lies in the repository, and those that the docs show. */
function examples(): (readonly [string, string])[] {
  const files = ["tests", "example"].flatMap((folder) => {
    return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".yaml")).map((name) => join(folder, name));
  });
  const page = readFileSync(join(ROOT, "docs/sweep-file.md"), "utf8");
  const shown = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text]) => text!);
  return [
    ...files.map((file) => [file, readFileSync(join(ROOT, file), "utf8")] as const),
    ...shown.map((text, i) => [`block ${i} of docs/sweep-file.md`, text] as const),
  ];
}

for (const [name, text] of examples()) {
  test(`memory and time of ${name} are set, and no other line changes`, () => {
    for (const source of [text, text.replaceAll("\n", "\r\n")]) {
      const edited = editYaml(source, [mem("12289M"), time("1-12:34:00")]);
      const { slurm, ...rest } = parse(edited, { merge: true });
      const { slurm: before = {}, ...same } = parse(source, { merge: true });
      assert.deepEqual(rest, same);
      assert.deepEqual(slurm, { ...before, mem: "12289M", time: "1-12:34:00" });
      const own = (line: string) => !/^(slurm:|\s+(mem|time):|\s*$)/.test(line);
      assert.deepEqual(edited.split("\n").filter(own), source.split("\n").filter(own));
      if (!/^name:/m.test(source) || !/^parameters:/m.test(source)) continue;
      const { config } = readConfig(edited, { file: "x" });
      assert.deepEqual(config.slurm.memoryMiB, 12_289);
      assert.deepEqual(config.slurm.timeSeconds, 131_640);
    }
  });
}

/** A random document with its plain value, written in as many ways as one can think of. */
function randomSweep(random: () => number): string {
  const pick = <T>(...items: readonly T[]) => items[Math.floor(random() * items.length)]!;
  const step = pick("  ", "    ", " ");
  const noise = () => pick("", "", " # c: 'd' {", "   #", " # *m");
  const gap = () => pick("", "", "\n", "# between: 1\n", "\n\n", `${step}# in: it\n`);
  const scalar = () =>
    pick("4G", '"4G"', "'4 G'", "", "~", "*m", "!!str 8", "&k 4G", ">-\n      4G");
  const keys = ["partition", "mem", "time", "gpus", "qos"].filter(() => random() < 0.5)
    .sort(() => random() - 0.5);
  const flow = `{${keys.map((key) => `${key}: ${pick("4G", '"4"', "*m", "~")}`).join(", ")}}`;
  const block = keys.map((key) => {
    const value = scalar();
    // Behind a block text it would be a part of the text.
    return `${step}${key}: ${value}${value.includes("\n") ? "" : noise()}\n${gap()}`;
  }).join("");
  const slurm = pick(
    "",
    `slurm: ${flow}${noise()}\n`,
    `slurm:${noise()}\n${keys.length === 0 ? "" : block}`,
    `slurm:${noise()}\n${step}<<: *d\n${block}`,
    "slurm: *d\n",
    "slurm:\n",
  );
  const parts = [
    `name: x${noise()}\n`,
    `parameters:\n${step}lr: {type: discrete, values: [1, 2]}${noise()}\n${gap()}`,
    `conditions:\n- when: {lr: 1}\n  slurm: {mem: *m}\n`,
    slurm,
  ].sort(() => random() - 0.5);
  const text = `x-m: &m 2G\nx-d: &d\n${step}mem: 1G\n${step}qos: q\n` + parts.join(gap());
  const ended = random() < 0.2 ? text.replace(/\n+$/, "") : text;
  return random() < 0.3 ? ended.replaceAll("\n", "\r\n") : ended;
}

test("random documents with random edits change where they are told to, and nowhere else", () => {
  const random = createStream(20, "documents");
  const options = { merge: true, uniqueKeys: true } as const;
  let edited = 0;
  for (let i = 0; i < 3000; i++) {
    const text = randomSweep(random);
    const value = [memoryYaml(1 + Math.floor(random() * 1e5)), timeYaml(1 + random() * 1e6)];
    const edits = [mem(value[0]), time(value[1])].filter(() => random() < 0.7);
    let made: string;
    try {
      made = editYaml(text, edits);
    } catch (error) {
      assert.ok(error instanceof UserError, `${text}\n${(error as Error).stack}`);
      // Nothing in these documents but YAML that herd itself does not read is refused.
      assert.match(error.message, /^Cannot edit /, `${error.message}\n${text}`);
      continue;
    }
    edited++;
    const wanted = parse(text, options);
    if (edits.length > 0) {
      const changes = edits.map(({ path, value }) => [path[1], value]);
      wanted.slurm = { ...wanted.slurm, ...Object.fromEntries(changes) };
    }
    assert.deepEqual(parse(made, options), wanted, `${text}\n=>\n${made}`);
    assert.deepEqual(made.match(/#.*/g), text.match(/#.*/g), `${text}\n=>\n${made}`);
    const foreign = (line: string) => !/\b(mem|time|slurm)\b|^\s*$|^\s+4G/.test(line);
    assert.deepEqual(made.split(/\r?\n/).filter(foreign), text.split(/\r?\n/).filter(foreign));
    if (text.includes("\r\n")) assert.ok(!/[^\r]\n/.test(made), made);
  }
  assert.ok(edited > 2500, `only ${edited} were edited`);
});
