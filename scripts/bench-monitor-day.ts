/** A day of `herd monitor` under a held clock: what it asks of the model and of SLURM. */
import type { ThinkRequest, Thought } from "../lib/agent/agent.ts";
import { costOf, modelUse, priceOf } from "../lib/agent/cost.ts";
import { loadPlaybook } from "../lib/agent/playbook.ts";
import { createTools } from "../lib/agent/tools.ts";
import type { Tokens } from "../lib/sweep/monitor-event.ts";
import type { Fate } from "../tests/support/fated-cluster.ts";
import {
  createScene,
  DAWN,
  HOUR,
  MINUTE,
  planText,
  sweepYaml,
  traceback,
} from "../tests/support/ground.ts";
import type { Scene } from "../tests/support/ground.ts";
import { scriptedDesk } from "../tests/support/scripted-desk.ts";

const TRIALS = 100;
const FAILURES = 20;
const MODEL = "claude-sonnet-5";
/** A token is about so many characters of English and JSON. */
const CHARACTERS = 3.5;
/** Longer ago than this, what was cached must be written again. */
const CACHED_MS = 5 * MINUTE;

/** What a turn costs: a first call that asks one tool, and a second one that answers. */
const CALL = { result: 600, thought: 150, answer: 200 };

interface Day {
  calls: number;
  tokens: Tokens;
  usd: number;
  ticks: number;
  quietLooks: number;
  /** By program. */
  asked: Map<string, number>;
}

/** Every fifth trial fails: by memory, time, its node, or an error of its own. */
function fateOf(trial: number, attempt: number): Fate {
  const runMs = 19 * HOUR + (trial * 7_919 % (4 * 60)) * MINUTE;
  const every = TRIALS / FAILURES;
  if (trial % every !== every - 1 || attempt > 1) {
    return { runMs: runMs - (attempt - 1) * 12 * HOUR };
  }
  const failed = Math.floor(trial / every);
  const failsAfter = HOUR / 2 + failed * 30 * MINUTE;
  switch (failed % 4) {
    case 0:
      return { runMs: failsAfter, end: "out-of-memory", stderr: "Killed\n" };
    case 1:
      return { runMs: failsAfter, end: "timeout" };
    case 2:
      return { runMs: failsAfter, end: "node-failure" };
    default: {
      const stderr = traceback(`Error${"ABCDE"[Math.floor(failed / 4)]}: of its own`, failed);
      return { runMs: failsAfter, end: "failed", stderr };
    }
  }
}

/** Counts as the Messages API would: what was sent before is read from the cache. */
function createThinker(scene: () => Scene): (request: ThinkRequest) => Promise<Thought> {
  const desk = scriptedDesk(TRIALS);
  const system = loadPlaybook().system.length / CHARACTERS;
  let lastAt = -Infinity;
  return async ({ prompt, purpose, onUse }) => {
    const { clock } = scene().ground;
    const tools =
      createTools({ desk, by: "agent", clock }).map(({ name, description, schema }) =>
        JSON.stringify({ name, description, schema })
      ).join("").length / CHARACTERS;
    const fixed = Math.round(system + tools);
    const asked = Math.round(prompt.length / CHARACTERS);
    const isWarm = clock.now() - lastAt < CACHED_MS;
    lastAt = clock.now();
    const first = {
      input: asked,
      output: CALL.thought,
      cacheRead: isWarm ? fixed : 0,
      cacheWrite: isWarm ? 0 : fixed,
    };
    const second = {
      input: CALL.thought + CALL.result,
      output: CALL.answer,
      cacheRead: fixed,
      cacheWrite: asked,
    };
    for (const tokens of [first, second]) {
      await onUse(modelUse({ model: MODEL, tokens, estimated: false, purpose }, {}));
    }
    return { kind: "answered", text: "It goes as it should." };
  };
}

async function day(ticks: "needed" | "every"): Promise<Day> {
  const yaml = sweepYaml(TRIALS, `agent: {ticks: ${ticks}, budget: {day: 1000, sweep: 1000}}`);
  using scene: Scene = createScene({
    yaml: yaml.replace('"01:00:00"', '"24:00:00"'),
    plan: planText(),
    fate: fateOf,
    think: createThinker(() => scene),
  });
  // Two questions of a person's.
  scene.after(4 * HOUR, () => void scene.say("why is idx 3 slower than the others?"));
  scene.after(9 * HOUR, () => void scene.say("which learning rate would you try next?"));
  await scene.run({ forMs: 24 * HOUR });
  const { spent } = scene.ground.state().monitor;
  const changes = scene.of("attempts-changed").map(({ at }) => at);
  const looks = scene.cluster.calls.filter(({ program, at }) =>
    program === "squeue" && at - DAWN < 24 * HOUR
  );
  return {
    calls: spent.calls,
    tokens: spent.tokens,
    usd: spent.usd,
    ticks: scene.of("ticked").length,
    quietLooks: looks.filter(({ at }) => !changes.includes(at)).length,
    asked: new Map(
      [...Map.groupBy(scene.cluster.calls, ({ program }) => program)]
        .map(([program, calls]) => [program, calls.length]),
    ),
  };
}

export async function benchMonitorDay(): Promise<void> {
  const needed = await day("needed");
  const every = await day("every");
  const shown = (n: number) => Math.round(n).toLocaleString("en");
  console.log(
    `\nA day of herd monitor: ${TRIALS} trials, ${FAILURES} failures, ${
      shown(needed.quietLooks)
    } quiet looks`,
  );
  for (const [name, one] of [["needed", needed], ["every", every]] as const) {
    const { input, output, cacheRead, cacheWrite } = one.tokens;
    console.log(
      `  agent.ticks: ${name.padEnd(7)} ${shown(one.calls).padStart(5)} calls  ${
        shown(input + output + cacheRead + cacheWrite).padStart(10)
      } tokens  $${one.usd.toFixed(2).padStart(6)}  in ${shown(one.ticks)} ticks`,
    );
  }
  console.log(
    `  every costs ${(every.calls / needed.calls).toFixed(1)} times the calls and ${
      (every.usd / needed.usd).toFixed(1)
    } times the dollars (of ${MODEL}, tokens by length)`,
  );
  const programs = [...needed.asked].map(([program, n]) => `${program} ${(n / 24).toFixed(1)}`);
  const all = [...needed.asked.values()].reduce((sum, n) => sum + n, 0);
  console.log(`  calls to SLURM: ${(all / 24).toFixed(1)} an hour (${programs.join(", ")})`);
  const rate = priceOf(MODEL, {});
  if (rate === undefined || Math.abs(costOf(needed.tokens, rate) - needed.usd) > 0.01) {
    console.log("  the dollars do not agree with the tokens: see lib/agent/prices.ts");
  }
}

if (import.meta.main) await benchMonitorDay();
