import assert from "node:assert/strict";
import test from "node:test";
import { findCycles, importsOf } from "../../../scripts/cycles.ts";

test("imports are found in every form and in no comment", () => {
  const source = `
import { a } from "./a.ts";
import type {
  B,
} from "../b.ts";
import "./side.ts";
export { c } from "./c.ts";
export type { D } from './d.ts';
const load = () => import("./e.ts");
// import { no } from "./no1.ts";
/* import { no } from "./no2.ts"; */
 * @example import { no } from "not-relative";
import { readFileSync } from "node:fs";
const text = "import nothing";
`;
  assert.deepEqual(importsOf(source), [
    "./a.ts",
    "../b.ts",
    "./side.ts",
    "./c.ts",
    "./d.ts",
    "./e.ts",
  ]);
});

test("a circle is named from file to file, and once", () => {
  const graph = new Map([
    ["a", ["b"]],
    ["b", ["c", "d"]],
    ["c", ["a"]],
    ["d", []],
    ["x", ["a"]],
  ]);
  assert.deepEqual(findCycles(graph), [["a", "b", "c", "a"]]);
});

test("a file that imports itself is a circle, and a diamond is none", () => {
  assert.deepEqual(findCycles(new Map([["a", ["a"]]])), [["a", "a"]]);
  const diamond = new Map([["a", ["b", "c"]], ["b", ["d"]], ["c", ["d"]], ["d", []]]);
  assert.deepEqual(findCycles(diamond), []);
});
