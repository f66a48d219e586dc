import assert from "node:assert/strict";
import { test } from "node:test";
import { MONITOR_DEFAULTS } from "../../../lib/sweep/read-monitor.ts";
import { errorOf, noticesOf, read, refuses, REST } from "../../support/reading.ts";

const monitor = (text: string) => read(`monitor: ${text}${REST}`).monitor;

test("a section without keys, and none, are the defaults", () => {
  for (const text of ["", "monitor:", "monitor: {}", "monitor: {rollout: , cadence: }"]) {
    assert.deepEqual(read(`${text}${REST}`).monitor, MONITOR_DEFAULTS, text);
  }
});

test("every key of the section is read", () => {
  const text = `monitor:
  rollout: [1, 4, 20, rest]
  setup_limit: 45m
  heartbeat_seconds: 0
  prune_share: 0.5
  interview: false
  objective: maximize val/acc
  metric_source: wandb
  cadence: {active: "00:01:30", steady: 1h30m}
${REST}`;
  assert.deepEqual(read(text).monitor, {
    rollout: [1, 4, 20, "rest"],
    setupLimitSeconds: 2700,
    heartbeatSeconds: 0,
    pruneShare: 0.5,
    interview: false,
    objective: { metric: "val/acc", direction: "max" },
    metricSource: "wandb",
    activeSeconds: 90,
    steadySeconds: 5400,
  });
  assert.deepEqual(noticesOf(text), []);
});

test("a rollout ends with the rest, also when the file does not say so", () => {
  assert.deepEqual(monitor("{rollout: [1, 2]}").rollout, [1, 2, "rest"]);
  assert.deepEqual(monitor("{rollout: [rest]}").rollout, ["rest"]);
  assert.deepEqual(monitor('{rollout: ["3", "rest"]}').rollout, [3, "rest"]);
  const stage = "expected a whole number of at least 1, or rest";
  refuses([
    ["monitor: {rollout: []}", "1:20 Cannot read monitor.rollout: found an empty list, expected a"],
    [
      "monitor: {rollout: 3}",
      "1:20 Cannot read monitor.rollout: found 3, expected a list of stages",
    ],
    [
      "monitor: {rollout: [0]}",
      "1:21 Cannot read monitor.rollout[0]: found 0, expected a whole num",
    ],
    ["monitor: {rollout: [1.5]}", `1:21 Cannot read monitor.rollout[0]: found 1.5, ${stage}`],
    ["monitor: {rollout: [-1]}", `1:21 Cannot read monitor.rollout[0]: found -1, ${stage}`],
    ["monitor: {rollout: [1, [2]]}", `1:24 Cannot read monitor.rollout[1]: found a list, ${stage}`],
    [
      "monitor: {rollout: [rest, 1]}",
      '1:21 Cannot read monitor.rollout[0]: found "rest", expected "rest" once, and in the last pl',
    ],
    ["monitor: {rollout: [1, rest, rest]}", "1:24 Cannot read monitor.rollout[1]"],
    ["monitor: {rollout: [99999999999999999999]}", "1:21 Cannot read monitor.rollout[0]"],
    [`monitor: {rollout: [${Array(101).fill(1)}]}`, "1:20 Cannot read monitor.rollout: found a li"],
  ]);
  assert.equal(errorOf(`monitor: {rollout: [1, rset]}${REST}`).hint, 'Did you mean "rest"?');
  assert.equal(
    errorOf(`monitor: {rollout: []}${REST}`).hint,
    'Write "[rest]" for all trials at once',
  );
});

test("an objective is a direction and a metric, or none", () => {
  const objective = (text: string) => monitor(`{objective: ${text}}`).objective;
  for (const text of ["none", "None", '"none"']) assert.equal(objective(text), "none", text);
  const loss = { metric: "loss", direction: "min" };
  for (const word of ["minimize", "Minimise", "min", "MIN"]) {
    assert.deepEqual(objective(`${word} loss`), loss, word);
  }
  assert.deepEqual(objective("{metric: loss, direction: min}"), loss);
  assert.deepEqual(objective("maximize  top 5 acc"), { metric: "top 5 acc", direction: "max" });
  assert.equal(objective("~"), undefined);
  const forms = 'expected "maximize METRIC", "minimize METRIC", "none", or a mapping with metric';
  const at = "1:22 Cannot read monitor.objective: found";
  refuses([
    ["monitor: {objective: loss}", `${at} "loss", ${forms}`],
    ["monitor: {objective: maximize}", `${at} "maximize", ${forms}`],
    ["monitor: {objective: constructor loss}", `${at} "constructor loss", ${forms}`],
    ["monitor: {objective: [a]}", `${at} a list, ${forms}`],
    ["monitor: {objective: 3}", `${at} 3, ${forms}`],
    ['monitor: {objective: "max a\\nb"}', at],
    ["monitor: {objective: {metric: a}}", '1:11 Missing key "direction" in monitor.objective'],
    ["monitor: {objective: {direction: max}}", '1:11 Missing key "metric" in monitor.objective'],
    [
      "monitor: {objective: {metric: a, direction: up}}",
      '1:45 Cannot read monitor.objective.direction: found "up", expected "min" or "max"',
    ],
  ]);
  const near = errorOf(`monitor: {objective: maximze acc}${REST}`);
  assert.equal(near.hint, 'Did you mean "maximize acc"?');
});

test("a cadence is active up to steady, and one alone moves the other one's default", () => {
  const cadence = (text: string) => {
    const { activeSeconds, steadySeconds } = monitor(`{cadence: ${text}}`);
    return [activeSeconds, steadySeconds];
  };
  assert.deepEqual(cadence("{active: 10}"), [10, 2700]);
  assert.deepEqual(cadence("{steady: 60}"), [60, 60]);
  assert.deepEqual(cadence("{active: 2h}"), [7200, 7200]);
  refuses([
    [
      "monitor: {cadence: {active: 2h, steady: 1h}}",
      '1:29 Cannot read monitor.cadence.active: found "2h", expected at most the steady one, which',
    ],
    [
      "monitor: {cadence: {active: 9}}",
      "1:29 Cannot read monitor.cadence.active: found 9, expected 10 seconds to 1 day",
    ],
    ["monitor: {cadence: 60}", "1:20 Cannot read monitor.cadence: found 60, expected a mapping"],
    ["monitor: {cadence: {stedy: 1h}}", '1:21 Unknown key "stedy" in monitor.cadence, allowed are'],
  ]);
});

test("what is out of range or of another kind is told with what is allowed", () => {
  refuses([
    [
      "monitor: {setup_limit: 10:00}",
      '1:24 Cannot read monitor.setup_limit: found "10:00", expected 1800 or "1800s" (seconds), "30m"',
    ],
    [
      "monitor: {setup_limit: 31d}",
      '1:24 Cannot read monitor.setup_limit: found "31d", expected 1 second to 30 days',
    ],
    [
      "monitor: {setup_limit: 0}",
      "1:24 Cannot read monitor.setup_limit: found 0, expected 1 second",
    ],
    ["monitor: {heartbeat_seconds: 5m}", '1:30 Cannot read monitor.heartbeat_seconds: found "5m"'],
    ["monitor: {heartbeat_seconds: -1}", "1:30 Cannot read monitor.heartbeat_seconds: found -1"],
    [
      "monitor: {prune_share: 1.1}",
      "1:24 Cannot read monitor.prune_share: found 1.1, expected a number from 0 to 1",
    ],
    ["monitor: {prune_share: -0.1}", "1:24 Cannot read monitor.prune_share: found -0.1"],
    ["monitor: {prune_share: .nan}", '1:24 Cannot read monitor.prune_share: found ".nan"'],
    ["monitor: {prune_share: a}", "1:24 Cannot read monitor.prune_share"],
    [
      "monitor: {interview: maybe}",
      '1:22 Cannot read monitor.interview: found "maybe", expected true or false',
    ],
    [
      "monitor: {metric_source: wnadb}",
      '1:26 Cannot read monitor.metric_source: found "wnadb", expected "results-json", "wandb" or',
    ],
    [
      "monitor: {rolout: [1]}",
      '1:11 Unknown key "rolout" in monitor, allowed are rollout, setup_limit, heartbeat_seconds',
    ],
    ["monitor: [1]", "1:10 Cannot read monitor: found a list, expected a mapping"],
    ["moniter: {}", '1:1 Unknown key "moniter" in the top level'],
  ]);
  assert.equal(errorOf(`monitor: {prune_share: 33%}${REST}`).hint, "Write 0.33");
  assert.equal(errorOf(`monitor: {metric_source: wnadb}${REST}`).hint, 'Did you mean "wandb"?');
  assert.equal(errorOf(`moniter: {}${REST}`).hint, 'Did you mean "monitor"?');
});

test("shares at the ends of their range are read", () => {
  assert.equal(monitor("{prune_share: 0}").pruneShare, 0);
  assert.equal(monitor('{prune_share: "1"}').pruneShare, 1);
  assert.equal(monitor("{prune_share: .25}").pruneShare, 0.25);
});
