import assert from "node:assert/strict";
import test from "node:test";
import { type OptionSpec, parseArguments } from "../../../lib/base/arguments.ts";
import { UserError } from "../../../lib/base/errors.ts";

const OPTIONS = [
  { name: "dry-run", short: "n", description: "Change nothing" },
  { name: "force", short: "f", description: "Insist" },
  { name: "indices", short: "i", value: "SPEC", description: "Which" },
  {
    name: "max-concurrent",
    short: "j",
    value: "N",
    number: "whole",
    least: 1,
    description: "How many",
  },
  { name: "rate", value: "X", number: "any", description: "A number" },
  { name: "mode", value: "MODE", choices: ["sync", "asha"], description: "How" },
  { name: "tag", value: "TAG", repeatable: true, description: "Tags" },
  {
    name: "pin",
    short: "p",
    value: "NAME=VALUE",
    repeatable: true,
    more: (word: string, cwd: string) => word.includes("=") && !(cwd === "/w" && word === "a=b"),
    description: "Pins",
  },
] as const satisfies readonly OptionSpec[];

const ARGUMENTS = [
  { name: "WORKSPACE", optional: true, description: "the sweep's folder" },
  { name: "INDEX", optional: true, description: "a trial" },
];

function parse(...argv: string[]) {
  return parseArguments(
    argv,
    { command: "herd run", options: OPTIONS, arguments: ARGUMENTS },
    "/w",
  );
}

function refused(argv: string[], message: RegExp, hint = /.*/) {
  assert.throws(() => parse(...argv), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, message);
    assert.match(error.hint ?? "", hint);
    return true;
  });
}

test("nothing given: switches are false, values undefined, lists empty", () => {
  const { values, positionals } = parse();
  assert.deepEqual(positionals, []);
  assert.deepEqual(values, {
    "dry-run": false,
    "force": false,
    "indices": undefined,
    "max-concurrent": undefined,
    "rate": undefined,
    "mode": undefined,
    "tag": [],
    "pin": [],
  });
});

test("options may stand before, between and after positionals", () => {
  for (const argv of [["-n", "ws", "3"], ["ws", "-n", "3"], ["ws", "3", "-n"]]) {
    const { values, positionals } = parse(...argv);
    assert.equal(values["dry-run"], true);
    assert.deepEqual(positionals, ["ws", "3"]);
  }
});

test("a value may be attached or follow", () => {
  for (
    const argv of [["-i", "1-3"], ["-i1-3"], ["-i=1-3"], ["--indices", "1-3"], ["--indices=1-3"]]
  ) {
    assert.equal(parse(...argv).values.indices, "1-3", argv.join(" "));
  }
  assert.equal(parse("--indices=").values.indices, "");
  assert.equal(parse("--indices=a=b").values.indices, "a=b");
});

test("switches can be bundled, the last one with a value", () => {
  const { values } = parse("-nfj4", "ws");
  assert.equal(values["dry-run"] && values.force, true);
  assert.equal(values["max-concurrent"], 4);
});

test("pins take the following words with '=' and never the workspace", () => {
  assert.deepEqual(parse("--pin", "a=1", "b=2", "ws").values.pin, ["a=1", "b=2"]);
  assert.deepEqual(parse("--pin", "a=1", "b=2", "ws").positionals, ["ws"]);
  assert.deepEqual(parse("-p", "a=1", "-p", "c=3", "ws").values.pin, ["a=1", "c=3"]);
  assert.deepEqual(parse("-np", "x=1", "y=2").values.pin, ["x=1", "y=2"]);
  assert.deepEqual(parse("--pin=a=1", "b=2").values.pin, ["a=1", "b=2"]);
});

test("a path that exists is no pin although it holds '='", () => {
  const { values, positionals } = parse("--pin", "x=1", "a=b");
  assert.deepEqual(values.pin, ["x=1"]);
  assert.deepEqual(positionals, ["a=b"]);
});

test("a word with '=' that follows no pin is a positional", () => {
  assert.deepEqual(parse("a=1", "-n", "b=2").positionals, ["a=1", "b=2"]);
});

test("a pin's value that begins with a dash is attached, and ends the list when not", () => {
  assert.deepEqual(parse("--pin", "a=1", "-n").values.pin, ["a=1"]);
  assert.deepEqual(parse("--pin=-a=1").values.pin, ["-a=1"]);
});

test("negative numbers are values and positionals", () => {
  assert.equal(parse("--rate", "-0.5").values.rate, -0.5);
  for (const word of ["-1", "-0.5", "-.5", "-1e-3", "-inf", "-nan", "-Infinity"]) {
    assert.deepEqual(parse("loss", word).positionals, ["loss", word]);
  }
});

test("after -- nothing is an option", () => {
  assert.deepEqual(parse("-n", "--", "-f", "--pin").positionals, ["-f", "--pin"]);
});

test("a lone dash and an empty word are positionals", () => {
  assert.deepEqual(parse("-", "").positionals, ["-", ""]);
});

test("the last of a repeated value wins, a repeatable one keeps all", () => {
  assert.equal(parse("-j", "1", "-j", "2").values["max-concurrent"], 2);
  assert.deepEqual(parse("--tag", "a", "--tag", "b").values.tag, ["a", "b"]);
});

test("an unknown option names the nearest", () => {
  refused(["--dry-rum"], /^Unknown option "--dry-rum"$/, /Did you mean "--dry-run"\?/);
  refused(["--max"], /Unknown option "--max"/, /"--max-concurrent"/);
  refused(["--zzz"], /Unknown option "--zzz"/, /"herd run --help"/);
  refused(["-x"], /Unknown option "-x"/);
  refused(["-nx"], /Unknown option "-x"/);
});

test("a missing value says which, and what follows instead", () => {
  refused(["-i"], /"--indices" needs a value \(SPEC\), and the line ends/);
  refused(["-i", "--force"], /needs a value \(SPEC\), and "--force" follows/, /--indices=--force/);
  refused(["--pin", "--"], /needs a value/);
});

test("a switch takes no value", () => {
  refused(["--force=yes"], /"--force" takes no value, and "yes" was given/);
});

test("numbers are whole, in range and nothing but digits", () => {
  refused(["-j", "0"], /value "0", wanted is a whole number of at least 1/);
  for (const bad of ["-3", "1.5", "4x", "", "0x10", "1e3", " 4", "99999999999999999999"]) {
    refused([`-j=${bad}`], /"--max-concurrent"/);
  }
  for (const bad of ["x", "", "1e999", "nan"]) refused([`--rate=${bad}`], /"--rate" has value/);
});

test("a choice lists what is allowed and names the nearest", () => {
  refused(["--mode", "asynch"], /"asynch", allowed are "sync", "asha"/);
  refused(["--mode", "snyc"], /allowed are/, /Did you mean "sync"\?/);
});

test("too many positionals and too few are told by name", () => {
  refused(["a", "1", "more"], /does not know what to do with "more"/);
  const grammar = {
    command: "herd log",
    options: [],
    arguments: [
      { name: "NAME", description: "the metric" },
      { name: "VALUE", description: "a number" },
    ],
  };
  assert.throws(() => parseArguments(["loss"], grammar, "/"), /"herd log" needs VALUE: a number/);
});

test("the last argument may take all the rest", () => {
  const grammar = {
    command: "x",
    options: [],
    arguments: [{ name: "FILE", repeatable: true, optional: true, description: "files" }],
  };
  assert.deepEqual(parseArguments(["a", "b", "c"], grammar, "/").positionals, ["a", "b", "c"]);
});
