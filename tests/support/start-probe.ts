/** A program with the real start and commands that tests need: slow, failing, talkative. */
import { defineCommand } from "../../commands/command.ts";
import { start } from "../../commands/start.ts";
import { RefusedError, SchedulerError, UserError } from "../../lib/base/errors.ts";

const FAILURES: Record<string, () => unknown> = {
  mistake: () => new UserError("Cannot do it", { hint: "Try again" }),
  refused: () => new RefusedError("No", { facts: { indices: [3] } }),
  unreachable: () => new SchedulerError("unreachable", "No answer"),
  rejected: () => new SchedulerError("rejected", "Bad partition"),
  bug: () => new TypeError("x is undefined"),
  quota: () => Object.assign(new Error("raw"), { code: "EDQUOT", syscall: "write" }),
};

const wait = defineCommand({
  name: "wait",
  summary: "Wait for the end",
  arguments: [{ name: "HOW", optional: true, description: "stubborn ignores the first signal" }],
  async run({ out, signal, clock, positionals }) {
    const live = out.live();
    live.draw(["waiting"], "waiting");
    if (positionals[0] === "stubborn") {
      signal.addEventListener("abort", () => out.printError("still here"));
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }
    await clock.sleep(60_000, signal);
    return 0;
  },
});

const fail = defineCommand({
  name: "fail",
  summary: "Fail in some way",
  arguments: [{ name: "KIND", description: "how" }],
  run: ({ positionals }) => {
    throw FAILURES[positionals[0]!]!();
  },
});

const talk = defineCommand({
  name: "talk",
  summary: "Print many lines until told to stop",
  async run({ out, signal, clock }) {
    for (let i = 0; !signal.aborted && i < 1_000_000; i++) {
      out.print(`line ${i}`);
      if (i % 1000 === 0) await clock.sleep(0);
    }
    out.printError(signal.aborted ? "stopped early" : "said all");
    return 0;
  },
});

const big = defineCommand({
  name: "big",
  summary: "Print one large document",
  run({ out }) {
    out.json({ rows: Array.from({ length: 100_000 }, (_, i) => ({ i, text: "x".repeat(20) })) });
    return 0;
  },
});

const table = [wait, fail, talk, big].map((command) => ({
  name: command.name,
  group: "Test",
  load: () => Promise.resolve({ command }),
}));

process.exit(await start(process.argv.slice(2), table));
