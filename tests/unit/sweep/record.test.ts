import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRecord } from "../../../lib/sweep/record.ts";

const FILE = { submission: "n0nce", task: 4, aliveAt: 99 };
const START = "1795195420.250000\t9_4\t0\tstart\thost=n1\tpid=77\t.\n";
const DONE = "1795195425.5\t9_4\t0\tdone\trc=137\t.\n";
const EXIT = "1795195426.0\t9_4\t0\texit\trc=137\t.\n";

test("a whole run gives start, node, signals, true code and end", () => {
  const text =
    `${START}1795195424.1\t9_4\t0\tsig\tUSR1\t.\n1795195424.2\t9_4\t0\tsig\tTERM\t.\n${DONE}${EXIT}`;
  assert.deepEqual(parseRecord(text, FILE), {
    jobId: "9",
    ...FILE,
    startedAt: 1795195420250,
    restart: 0,
    node: "n1",
    signals: ["USR1", "TERM"],
    exitCode: 137,
    endedAt: 1795195426000,
    voided: false,
  });
});

test("the launcher's end is not the trial's while its processes still run", () => {
  const record = parseRecord(START + DONE, FILE);
  assert.equal(record.exitCode, 137);
  assert.equal(record.endedAt, undefined);
});

test("the peak of its memory comes with an end, and the larger of two counts", () => {
  const done = DONE.replace("rc=137", "rc=137\tpeak=104857600");
  assert.equal(parseRecord(START + done, FILE).peakBytes, 104857600);
  const exit = (peak: string) => EXIT.replace("rc=137", `rc=137\t${peak}`);
  const whole = parseRecord(START + done + exit("peak=104861696"), FILE);
  assert.equal(whole.peakBytes, 104861696);
  assert.equal(whole.endedAt, 1795195426000);
  assert.equal(parseRecord(START + done + exit("peak=9"), FILE).peakBytes, 104857600);
  assert.equal("peakBytes" in parseRecord(START + DONE + EXIT, FILE), false);
  const again = START.replace("9_4\t0", "9_4\t1");
  assert.equal("peakBytes" in parseRecord(START + done + again, FILE), false, "of the run before");
});

test("a line with a peak that is none, or with more behind it, is passed over", () => {
  for (const peak of ["peak=", "peak=x", "peak=0", "peak=-1", "peak=1\tpeak=2", "peak=1e9"]) {
    const record = parseRecord(START + DONE.replace("rc=137", `rc=137\t${peak}`), FILE);
    assert.equal(record.exitCode, undefined, peak);
    assert.equal("peakBytes" in record, false, peak);
  }
});

test("an empty file says nothing", () => {
  const record = parseRecord("", FILE);
  assert.equal(record.startedAt, undefined);
  assert.equal(record.voided, false);
});

test("cut at any byte a record says what its whole lines say, and never a wrong code", () => {
  const text = START + DONE + EXIT;
  for (let length = 0; length <= text.length; length++) {
    const record = parseRecord(text.slice(0, length), FILE);
    assert.ok(record.exitCode === undefined || record.exitCode === 137, `cut at ${length}`);
    assert.equal(record.exitCode !== undefined, length >= START.length + DONE.length);
    assert.equal(record.endedAt !== undefined, length === text.length);
  }
});

test("torn, mixed, foreign and binary lines are passed over", () => {
  const torn = DONE.slice(0, -8);
  const noise =
    `${torn}\n\n${torn}${DONE}\0\0\0\nnonsense\n1\t2\t3\n${DONE.replace("137", "300")}` +
    DONE.replace("done", "dance") + DONE.replace("rc=137", "rc=");
  assert.deepEqual(parseRecord(START + noise, FILE), parseRecord(START, FILE));
});

test("the latest restart counts, and late lines of the run before it do not", () => {
  const again = START.replace("\t0\tstart", "\t1\tstart").replace("n1", "n2").replace(
    "5420",
    "5500",
  );
  const record = parseRecord(START + again + DONE + START, FILE);
  assert.equal(record.restart, 1);
  assert.equal(record.node, "n2");
  assert.equal(record.startedAt, 1795195500250);
  assert.equal(record.exitCode, undefined);
});

test("of two starts with one restart count the last one counts", () => {
  const again = START.replace("5420", "5600");
  const record = parseRecord(START + DONE + EXIT + again, FILE);
  assert.equal(record.startedAt, 1795195600250);
  assert.equal(record.endedAt, undefined);
});

test("a void run is told apart from one that ran", () => {
  const record = parseRecord("1795195420.2\t9_4\t0\tvoid\thost=n1\tpid=1\t.\n", FILE);
  assert.equal(record.voided, true);
  assert.equal(record.startedAt, undefined);
  assert.equal(record.endedAt, 1795195420200);
});

test("a decimal comma is a point", () => {
  assert.equal(parseRecord(START.replace(".25", ",25"), FILE).startedAt, 1795195420250);
});
