import assert from "node:assert/strict";
import { test } from "node:test";
import { expandVariables, hasOddVariable } from "../../../lib/sweep/expand-variables.ts";

const ENV = {
  A: "1",
  B_2: "two words",
  EMPTY: "",
  NESTED: "${A}",
  MONEY: "$& $1 $$",
  GONE: undefined,
};

test("each ${NAME} becomes what the variable holds, as it is", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["", ""],
    ["plain", "plain"],
    ["${A}", "1"],
    ["x${A}y${B_2}z${A}", "x1ytwo wordsz1"],
    ["[${EMPTY}]", "[]"],
    ["${NESTED}", "${A}"],
    ["${MONEY}", "$& $1 $$"],
    ["$${A}", "$1"],
    ["$A $(A) {A} ${} ${1} ${A-b} ${A", "$A $(A) {A} ${} ${1} ${A-b} ${A"],
    ["Bearer ${A}\n${A}", "Bearer 1\n1"],
  ];
  for (const [text, expanded] of rows) {
    assert.deepEqual(expandVariables(text, ENV), { text: expanded }, text);
  }
});

test("variables that are not set are named, each once, and nothing is expanded", () => {
  assert.deepEqual(expandVariables("${B}${A}${GONE} ${B} ${a}", ENV), {
    missing: ["B", "GONE", "a"],
  });
});

test("what every object has is no variable", () => {
  assert.deepEqual(expandVariables("${constructor}${__proto__}${toString}", {}), {
    missing: ["constructor", "__proto__", "toString"],
  });
});

test("a second call gives the same, though the pattern is shared", () => {
  for (let i = 0; i < 3; i++) assert.deepEqual(expandVariables("${A}", ENV), { text: "1" });
});

test("a ${ that begins no name is odd", () => {
  for (const odd of ["${", "${}", "${1A}", "${A:-b}", "${A B}", "${A}${", "${${A}}"]) {
    assert.equal(hasOddVariable(odd), true, odd);
  }
  for (const fine of ["", "$", "${A}", "$A", "{A}", "$${A}", "${A}}"]) {
    assert.equal(hasOddVariable(fine), false, fine);
  }
});
