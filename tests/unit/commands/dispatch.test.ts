import assert from "node:assert/strict";
import test from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { type Command, defineCommand, type Entry } from "../../../commands/command.ts";
import { dispatch } from "../../../commands/dispatch.ts";
import { TABLE } from "../../../commands/table.ts";
import { type CaptureOptions, createCapturedTerminal } from "../../support/captured-terminal.ts";

const greet = defineCommand({
  name: "greet",
  summary: "Greet somebody",
  details: "Politely.",
  arguments: [{ name: "NAME", description: "whom" }],
  options: [{ name: "loud", short: "l", description: "Shout" }],
  examples: [{ line: "herd greet Ann", meaning: "Says hello to Ann" }],
  run({ values, positionals, out, json }) {
    const text = `Hello ${positionals[0]}${values.loud ? "!" : ""}`;
    if (json) out.json({ text });
    else out.print(text);
    return 7;
  },
});

const secret = defineCommand({ name: "secret", summary: "Hush", run: () => 5 });

function entry(command: Command): Entry {
  return { name: command.name, group: "Test", load: () => Promise.resolve({ command }) };
}

async function run(argv: string[], options: CaptureOptions = {}) {
  const terminal = createCapturedTerminal(options);
  const code = await dispatch(argv, {
    out: terminal.out,
    log: { path: undefined, write: () => {} },
    env: {},
    cwd: "/",
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    signal: new AbortController().signal,
    table: [...TABLE, entry(greet), { ...entry(secret), hidden: true }],
  });
  return { code, stdout: terminal.stdout(), stderr: terminal.stderr() };
}

test("a command gets its values and gives its exit code", async () => {
  assert.deepEqual(await run(["greet", "-l", "Ann"]), {
    code: 7,
    stdout: "Hello Ann!\n",
    stderr: "",
  });
});

test("every command knows --json", async () => {
  assert.deepEqual(JSON.parse((await run(["greet", "Ann", "--json"])).stdout), {
    text: "Hello Ann",
  });
});

test("an unknown command names the nearest one", async () => {
  await assert.rejects(run(["gret", "Ann"]), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.message, 'Unknown command "gret"');
    assert.match(error.hint ?? "", /"herd greet"/);
    return true;
  });
});

test("a command of HyperHerd's that is still to come is told as such", async () => {
  for (const name of ["dog"]) {
    await assert.rejects(run([name]), (error) => {
      assert.equal((error as UserError).message, `Unknown command "${name}"`);
      assert.match((error as UserError).hint ?? "", /not part of this version of herd yet/);
      return true;
    });
  }
});

test("a name of Object.prototype is no command", async () => {
  for (const name of ["constructor", "__proto__", "toString"]) {
    await assert.rejects(run([name]), /Unknown command/);
  }
});

test("no command at all is a mistake that names help", async () => {
  await assert.rejects(run([]), UserError);
});

test("--help works wherever it stands, even when the rest is wrong", async () => {
  for (const argv of [["greet", "--help"], ["greet", "-h", "--nonsense"], ["help", "greet"]]) {
    const { code, stdout } = await run(argv);
    assert.equal(code, 0);
    assert.match(stdout, /^Greet somebody\n/);
    assert.match(stdout, /Usage: herd greet NAME \[options\]/);
    assert.match(stdout, /Politely\./);
    assert.match(stdout, /-l, --loud\s+Shout/);
    assert.match(stdout, /herd greet Ann\s+Says hello to Ann/);
    assert.match(stdout, /Exit codes: 0 done/);
  }
});

test("after -- a --help is no question", async () => {
  assert.equal((await run(["greet", "--", "--help"])).stdout, "Hello --help\n");
});

test("help lists every command under its group", async () => {
  const { stdout } = await run(["--help"]);
  const shown = TABLE.filter((one) => !one.hidden);
  for (const { name } of [...shown, greet]) {
    assert.match(stdout, new RegExp(`^  ${name} +\\S`, "m"));
  }
  assert.match(stdout, /^Test:$/m);
});

test("a hidden command runs, and is named nowhere", async () => {
  const { stdout } = await run(["help"]);
  assert.doesNotMatch(stdout, /secret|Internal/);
  assert.doesNotMatch((await run(["completions", "fish"])).stdout, /secret/);
  assert.equal((await run(["secret"])).code, 5);
  await assert.rejects(run(["secre"]), (error) => !(error as UserError).hint?.includes("secret"));
});

test("help as JSON holds what the table holds", async () => {
  const { commands } = JSON.parse((await run(["help", "--json"])).stdout);
  const found = commands.find((one: { name: string }) => one.name === "greet");
  assert.equal(found.usage, "herd greet NAME [options]");
  assert.deepEqual(found.options.map((one: { name: string }) => one.name), [
    "loud",
    "json",
    "help",
  ]);
});

test("help exit-codes lists all of them", async () => {
  const { stdout } = await run(["help", "exit-codes"]);
  for (const code of [0, 1, 2, 3, 4, 5, 70, 130]) {
    assert.match(stdout, new RegExp(`^ +${code}  \\S`, "m"));
  }
});

test("version names version, commit, runtime and platform", async () => {
  for (const argv of [["--version"], ["version"], ["-V"]]) {
    const { stdout } = await run(argv);
    assert.match(stdout, /^herd \S+ \(commit \S+, (bun|deno) [\d.]+\S*, \w+-\w+\)\n$/);
  }
  const facts = JSON.parse((await run(["version", "--json"])).stdout);
  assert.deepEqual(Object.keys(facts), [
    ...["version", "commit", "runtime", "platform", "target", "handover"],
  ]);
});

test("every command of the table is as its line says, and says enough for help", async () => {
  for (const { name, load } of TABLE) {
    const { command } = await load();
    assert.equal(command.name, name);
    assert.match(command.summary, /^[A-Z][^\n]*[^.\n]$/, name);
    const options = command.options ?? [];
    const words = options.flatMap((one) => [one.name, ...(one.short ? [one.short] : [])]);
    assert.equal(new Set(words).size, words.length, `${name} has an option twice`);
    for (const word of words) assert.ok(!["json", "help", "h"].includes(word), `${name}: ${word}`);
    for (const { line } of command.examples ?? []) assert.match(line, /\bherd\b/);
  }
});
