import { strict as assert } from "node:assert";
import { test } from "node:test";
import {
  overrideString,
  overrideTokens,
  runDigest,
  valueText,
} from "../../../lib/sweep/overrides.ts";

const fixed = { staticOverrides: ["trainer.epochs=5"], launcher: "./train.sh" };

test("tokens come in HyperHerd's order: name, parameters, static overrides, what conditions set", () => {
  const trial = {
    name: "lr-0.001_opt-None",
    params: { "+lr": 0.001, opt: null, fast: true, n: 2.0 },
    extras: { "model.wd": 1e-5 },
  };
  const tokens = overrideTokens(trial, ["trainer.epochs=5", "--flag"]);
  assert.equal(
    overrideString(tokens),
    "experiment_name=lr-0.001_opt-None +lr=0.001 opt=null fast=true n=2 " +
      "trainer.epochs=5 --flag model.wd=1e-05",
  );
});

test("G.1.15: a value with spaces, quotes and line ends stays one token, untouched", () => {
  const hostile = "a b; touch x\n'\"$(id) *";
  const tokens = overrideTokens({ name: "n", params: { v: hostile }, extras: {} }, ["s=1 2"]);
  assert.deepEqual(tokens, ["experiment_name=n", `v=${hostile}`, "s=1 2"]);
});

test("lists and maps are written in Hydra's syntax, with quotes where text would mean something else", () => {
  assert.equal(valueText([1, 0.5, true, null, "adam"]), "[1,0.5,true,null,adam]");
  assert.equal(valueText({ a: 1, b: { c: [2] } }), "{a:1,b:{c:[2]}}");
  assert.equal(
    valueText(["1", "true", "Null", "nan", "", "a b", "x,y", "-1_0", "path/to.x"]),
    "['1','true','Null','nan','','a b','x,y','-1_0',path/to.x]",
  );
  assert.equal(
    valueText(["it's", "a\\'b", "end\\", "c:\\d"]),
    "['it\\'s','a\\\\\\'b','end\\\\','c:\\d']",
  );
  assert.equal(valueText({ "a b": "x:y", "k,1": 2 }), "{a\\ b:'x:y',k\\,1:2}");
  assert.equal(valueText([]), "[]");
  assert.equal(valueText({}), "{}");
});

test("runDigest is the same for what gives the same run", () => {
  const digest = runDigest({ params: { lr: 0.1, opt: "adam" }, extras: {} }, fixed);
  const same = [
    runDigest({ params: { opt: "adam", lr: 0.1 }, extras: {} }, fixed),
    runDigest({ params: { "+lr": 0.09999999999999999, opt: "adam" }, extras: {} }, fixed),
    runDigest({ params: { lr: "1e-1" }, extras: { opt: "adam" } }, fixed),
    runDigest({ params: { lr: 0.1 }, extras: {} }, {
      ...fixed,
      staticOverrides: ["opt=adam", "trainer.epochs=5"],
    }),
    runDigest({ params: { lr: 0.1, opt: "sgd" }, extras: { opt: "adam" } }, fixed),
  ];
  for (const other of same) assert.equal(other, digest);
  assert.match(digest, /^[0-9a-f]{12}$/);
});

test("runDigest differs where a run would", () => {
  const trial = { params: { lr: 0.1 }, extras: {} };
  const digests = [
    runDigest(trial, fixed),
    runDigest({ ...trial, params: { lr: 0.2 } }, fixed),
    runDigest({ ...trial, params: { "~lr": 0.1 } }, fixed),
    runDigest({ ...trial, extras: { wd: 0 } }, fixed),
    runDigest(trial, { ...fixed, launcher: "./other.sh" }),
    runDigest(trial, { ...fixed, staticOverrides: [] }),
    runDigest(trial, { ...fixed, staticOverrides: ["trainer.epochs=5", "--a", "--b"] }),
    runDigest(trial, { ...fixed, staticOverrides: ["trainer.epochs=5", "--b", "--a"] }),
  ];
  assert.equal(new Set(digests).size, digests.length);
});
