import assert from "node:assert/strict";
import { type Mistake, UserError } from "../../lib/base/errors.ts";
import type { Config } from "../../lib/sweep/config.ts";
import { readConfig } from "../../lib/sweep/read-config.ts";

export const FILE = "hyperherd.yaml";

export function read(text: string): Config {
  return readConfig(text, { file: FILE }).config;
}

/** Each notice as `line:column message`. */
export function noticesOf(text: string): readonly string[] {
  const { notices } = readConfig(text, { file: FILE });
  return notices.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

export function errorOf(text: string): UserError {
  try {
    readConfig(text, { file: FILE });
  } catch (error) {
    assert.ok(error instanceof UserError, `not a UserError: ${error}`);
    return error;
  }
  assert.fail(`It was accepted:\n${text}`);
}

/** Each mistake as `line:column message`. */
export function mistakesOf(text: string): readonly string[] {
  return errorOf(text).mistakes.map(place);
}

export function place({ line, column, message }: Mistake): string {
  return `${line}:${column} ${message}`;
}

/** One parameter with a default, so that a section under test can stand above it. */
export const REST = `
name: s
parameters:
  lr: {type: continuous, low: 0.1, high: 1, default: 0.5}
  opt: {type: discrete, values: [adam, sgd], default: adam}
  depth: {type: discrete, values: ["2", "4"], default: "2"}
`;

/**
 * A row is the YAML (put in front of REST unless it names parameters itself),
 * and the beginnings of all its mistakes, with their places.
 */
export function refuses(rows: readonly (readonly [string, ...string[]])[]): void {
  for (const [yaml, ...expected] of rows) {
    const text = /^parameters:/m.test(yaml) ? yaml : `${yaml}${REST}`;
    const found = mistakesOf(text);
    assert.deepEqual(found.map((line, i) => line.slice(0, expected[i]?.length)), expected, yaml);
  }
}
