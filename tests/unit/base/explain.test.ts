import assert from "node:assert/strict";
import test from "node:test";
import { RefusedError, SchedulerError, UserError } from "../../../lib/base/errors.ts";
import { exitCodeOf, explain } from "../../../lib/base/explain.ts";

function system(code: string): Error {
  return Object.assign(new Error(`${code}: raw`), { code, syscall: "open", path: "/w/x" });
}

test("every kind of error has its exit code", () => {
  assert.equal(exitCodeOf(new UserError("m")), 2);
  assert.equal(exitCodeOf(new RefusedError("m")), 3);
  assert.equal(exitCodeOf(new SchedulerError("unreachable", "m")), 4);
  assert.equal(exitCodeOf(new SchedulerError("unreadable", "m")), 4);
  assert.equal(exitCodeOf(new SchedulerError("rejected", "m")), 5);
  assert.equal(exitCodeOf(system("EDQUOT")), 2);
  assert.equal(exitCodeOf(new TypeError("m")), 70);
  assert.equal(exitCodeOf(system("ENOENT")), 70);
  assert.equal(exitCodeOf("thrown text"), 70);
  assert.equal(exitCodeOf(undefined), 70);
  assert.equal(exitCodeOf(AbortSignal.abort().reason), 130);
});

test("a mistake is its message and hint, without a stack", () => {
  const error = new UserError('Cannot read "x.yaml": no such file', { hint: "Name another" });
  assert.equal(
    explain(error, "terminal"),
    'Cannot read "x.yaml": no such file\nHint: Name another',
  );
});

test("mistakes name file, line, column and path, each with its hint", () => {
  const error = new UserError("The sweep file has 2 mistakes", {
    mistakes: [
      {
        file: "h.yaml",
        line: 3,
        column: 7,
        path: "slurm.mem",
        message: 'Found "8X"',
        hint: "Say 8G",
      },
      { path: "grid", message: 'Found "al"' },
      { message: "Plain" },
    ],
  });
  assert.equal(
    explain(error, "terminal"),
    [
      "The sweep file has 2 mistakes",
      '  h.yaml:3:7 slurm.mem: Found "8X"',
      "    Say 8G",
      '  grid: Found "al"',
      "  Plain",
    ].join("\n"),
  );
});

test("a mistake that is the message itself is said once", () => {
  const error = new UserError("Bad", {
    hint: "H",
    mistakes: [{ line: 2, message: "Bad", hint: "H" }],
  });
  assert.equal(explain(error, "terminal"), "Bad\n  2\nHint: H");
  const placed = new UserError("h.yaml:2:7: Bad", {
    hint: "H",
    mistakes: [{ file: "h.yaml", line: 2, column: 7, path: "grid", message: "Bad", hint: "H" }],
  });
  assert.equal(explain(placed, "terminal"), "h.yaml:2:7: Bad\nHint: H");
});

test("the document holds kind, message, hint, mistakes and the facts of a refusal", () => {
  const refused = new RefusedError("No", {
    hint: "Use --force",
    facts: { indices: [1], kind: "evil" },
  });
  assert.deepEqual(explain(refused, "json"), {
    error: { indices: [1], kind: "refused", message: "No", hint: "Use --force", mistakes: [] },
  });
  const mistakes = [{ file: "f", line: 1, column: 2, path: "p", message: "m", hint: "h" }];
  assert.deepEqual(explain(new UserError("No", { mistakes }), "json"), {
    error: { kind: "mistake", message: "No", hint: null, mistakes },
  });
  assert.equal(explain(new SchedulerError("rejected", "m"), "json").error.kind, "rejected");
});

test("a full disk or quota is told in words, with the path", () => {
  assert.equal(
    explain(system("EDQUOT"), "terminal"),
    'Cannot open "/w/x": your disk quota is used up (EDQUOT)',
  );
  assert.equal(explain(system("EACCES"), "json").error.kind, "system");
});

test("a bug says so, and its stack is for the log only", () => {
  const bug = new TypeError("x is undefined");
  assert.equal(explain(bug, "terminal"), "Unexpected error: x is undefined");
  assert.match(explain(bug, "log"), /TypeError: x is undefined\n\s+at /);
});

test("the log holds the causes and what the scheduler printed", () => {
  const cause = new Error("socket closed");
  const error = new SchedulerError("unreachable", "No answer", {
    detail: "slurm_load_jobs error",
    cause,
  });
  const text = explain(error, "log");
  assert.match(text, /No answer[\s\S]*slurm_load_jobs error[\s\S]*Caused by: Error: socket closed/);
});

test("a cause that is itself does not go on for ever", () => {
  const error: Error & { cause?: unknown } = new Error("loop");
  error.cause = error;
  assert.ok(explain(error, "log").length < 100_000);
});
