import assert from "node:assert/strict";
import test from "node:test";
import { addressed } from "../../../commands/addressed.ts";
import { postLines, wrap } from "../../../commands/post-lines.ts";
import { createTerminalChannel } from "../../../commands/terminal-channel.ts";
import type { ChannelPort } from "../../../commands/terminal-channel.ts";
import { createPaint } from "../../../lib/base/colors.ts";
import { RefusedError } from "../../../lib/base/errors.ts";
import { answerSlash } from "../../../lib/slash/run.ts";
import type { Event, Happening } from "../../../lib/sweep/event.ts";
import { createCapturedTerminal } from "../../support/captured-terminal.ts";
import { scriptedDesk } from "../../support/scripted-desk.ts";
import type { ScriptedDesk } from "../../support/scripted-desk.ts";

const AT = new Date(2026, 10, 21, 3, 4, 5).getTime();
const PLAIN = { env: { NO_COLOR: "1" } };
const TTY = { ...PLAIN, size: { columns: 80, rows: 24 }, errorSize: { columns: 80, rows: 24 } };

function event(seq: number, what: Happening): Event {
  return { v: 1, seq, at: AT, by: "rules", what };
}

function said(seq: number, text: string, kind: "agent" | "warning" | "completed" = "agent"): Event {
  return event(seq, { type: "said", said: { key: `k${seq}`, kind, text } });
}

function portOf(desk: ScriptedDesk, id = desk.id): ChannelPort {
  return { ...desk, id, slash: (text) => answerSlash(desk, text, "cli:alice", { now: () => AT }) };
}

/** What is typed, line by line; `end` is Ctrl-D. */
function typing() {
  const lines: string[] = [];
  let wake = () => {};
  let over = false;
  async function* input(): AsyncGenerator<string> {
    for (;;) {
      while (lines.length > 0) yield lines.shift()!;
      if (over) return;
      await new Promise<void>((resolve) => wake = resolve);
    }
  }
  return {
    input: input(),
    type(line: string) {
      lines.push(line);
      wake();
    },
    end() {
      over = true;
      wake();
    },
  };
}

function channel(
  ports: readonly ChannelPort[],
  options: Parameters<typeof createCapturedTerminal>[0] = PLAIN,
  input?: AsyncIterable<string>,
  after?: Record<string, number>,
) {
  const terminal = createCapturedTerminal(options);
  let n = 0;
  const made = createTerminalChannel({
    out: terminal.out,
    clock: { now: () => AT },
    ports,
    input,
    who: { from: "cli:alice", name: "alice" },
    newId: () => `m${++n}`,
    ...(after === undefined ? {} : { after }),
  });
  return { ...terminal, channel: made };
}

test("posts come with time and prefix, those from before once and then each new one", async () => {
  const desk = scriptedDesk(4);
  desk.write(said(1, "old"));
  desk.write(said(2, "trial 3 failed: exit 1\n- and more", "warning"));
  const { channel: made, stdout } = channel([portOf(desk)], PLAIN, undefined, { lr: 1 });
  await made.start();
  desk.write(said(3, "trial 1 completed in 12 min", "completed"));
  await made.inputEnded;
  await made[Symbol.asyncDispose]();
  desk.write(said(4, "nobody listens"));
  assert.equal(
    stdout(),
    "03:04:05 ⚠️ trial 3 failed: exit 1\n            - and more\n" +
      "03:04:05 ✅ trial 1 completed in 12 min\n",
  );
});

test("what is written while the past is read comes after it, in order and once", async () => {
  const desk = scriptedDesk(4);
  desk.write(said(1, "one"));
  const port = portOf(desk);
  const slow: ChannelPort = {
    ...port,
    async events(after) {
      const page = await port.events(after);
      if (after === 0) desk.write(said(2, "two"));
      return page.length === 0 ? [] : page;
    },
  };
  const { channel: made, stdout } = channel([slow]);
  await made.start();
  desk.write(said(3, "three"));
  await made[Symbol.asyncDispose]();
  assert.deepEqual(stdout().match(/one|two|three/g), ["one", "two", "three"]);
});

test("more than a page of the past is told to its end", async () => {
  const desk = scriptedDesk(4);
  for (let seq = 1; seq <= 250; seq++) desk.write(said(seq, `post ${seq}`));
  const { channel: made, stdout } = channel([portOf(desk)]);
  await made.start();
  await made[Symbol.asyncDispose]();
  assert.equal(stdout().trimEnd().split("\n").length, 250);
});

test("a typed command is answered here and costs no message; anything else is a message", async () => {
  const desk = scriptedDesk(4);
  const keys = typing();
  const { channel: made, stdout } = channel([portOf(desk)], TTY, keys.input);
  await made.start();
  keys.type("/cancel 3");
  keys.type("");
  keys.type("/frobnicate");
  keys.type("why is idx 3 stuck?");
  keys.end();
  await made.inputEnded;
  desk.write(said(1, "posts go on after Ctrl-D"));
  await made[Symbol.asyncDispose]();
  assert.deepEqual(desk.acted, [{ request: { verb: "stop", indices: [3] }, by: "cli:alice" }]);
  assert.deepEqual(desk.heard, [
    { id: "m1", from: "cli:alice", name: "alice", text: "why is idx 3 stuck?" },
  ]);
  assert.match(stdout(), /Done as asked\n/);
  assert.match(stdout(), /There is no command \/frobnicate/);
  assert.match(stdout(), /👀\n/);
  assert.match(stdout(), /posts go on after Ctrl-D/);
});

test("a message that could not be kept is told, and typing goes on", async () => {
  const desk = scriptedDesk(4, {
    receive: () => Promise.reject(new RefusedError("Cannot write", { facts: {} })),
  });
  const keys = typing();
  const { channel: made, stdout } = channel([portOf(desk)], TTY, keys.input);
  await made.start();
  keys.type("hello");
  keys.type("/tick");
  keys.end();
  await made.inputEnded;
  await made[Symbol.asyncDispose]();
  assert.match(stdout(), /Cannot write\n.*Done as asked/s);
});

test("questions have numbered choices, once, whichever of question and post comes first", async () => {
  const question = { id: "remediation", text: "On failures?", choices: ["remediate", "notify"] };
  for (const order of ["question", "post"]) {
    const desk = scriptedDesk(4);
    const { channel: made, stdout } = channel([portOf(desk)]);
    await made.start();
    const post = said(order === "post" ? 1 : 2, "On failures?\n1. remediate\n2. notify");
    const asked = event(order === "post" ? 2 : 1, { type: "question-asked", question });
    for (const one of order === "post" ? [post, asked] : [asked, post]) desk.write(one);
    desk.write(event(3, { type: "question-closed", id: "remediation", answer: "notify" }));
    desk.write(said(4, "On failures? notify, then."));
    await made[Symbol.asyncDispose]();
    assert.equal(stdout().match(/1\. remediate/g)?.length, 1, order);
    assert.match(stdout(), /notify, then/, order);
  }
});

test("messages of others are shown, one's own stand there already", async () => {
  const desk = scriptedDesk(4);
  const keys = typing();
  const { channel: made, stdout } = channel([portOf(desk)], TTY, keys.input);
  await made.start();
  keys.type("mine");
  keys.end();
  await made.inputEnded;
  const message = (id: string, name: string, text: string) =>
    event(desk.heard.length + Number(id.slice(1)), {
      type: "message-received",
      message: { id, from: `discord:${name}`, name, text },
    });
  desk.write(message("m1", "alice", "mine"));
  desk.write(message("d7", "bob", "pause it\u001b[2J"));
  await made[Symbol.asyncDispose]();
  assert.doesNotMatch(stdout(), /alice: mine/);
  assert.match(stdout(), /bob: pause it\\x1b\[2J\n/);
});

test("the heartbeat is one line that changes on a terminal, and goes away at the end", async () => {
  const desk = scriptedDesk(4);
  const { channel: made, stdout, stderr } = channel([portOf(desk)], TTY);
  await made.start();
  desk.notice({ key: "heartbeat", kind: "heartbeat", text: "4 running" });
  desk.notice({ key: "heartbeat", kind: "heartbeat", text: "3 running" });
  desk.write(said(1, "news"));
  desk.notice({ key: "typing", kind: "typing", text: "thinking" });
  desk.notice({ key: "typing", kind: "typing", text: "" });
  await made[Symbol.asyncDispose]();
  assert.equal(stdout(), "03:04:05 🐕 news\n");
  const clear = "\r\x1b[K";
  assert.equal(
    stderr(),
    `🐾 4 running ${clear}🐾 3 running ${clear}🐾 3 running ${clear}🐕 thinking ` +
      `${clear}🐾 3 running ${clear}`,
  );
});

test("where nothing can be redrawn a heartbeat is a line when it says something new", async () => {
  const desk = scriptedDesk(4);
  const { channel: made, stdout, stderr } = channel([portOf(desk)]);
  await made.start();
  for (const text of ["4 running", "4 running", "3 running"]) {
    desk.notice({ key: "heartbeat", kind: "heartbeat", text });
  }
  desk.notice({ key: "typing", kind: "typing", text: "thinking" });
  await made[Symbol.asyncDispose]();
  assert.equal(stdout(), "03:04:05 🐾 4 running\n03:04:05 🐾 3 running\n");
  assert.equal(stderr(), "");
});

test("with several sweeps lines name theirs, and a typed line must say for whom it is", async () => {
  const [one, two] = [scriptedDesk(4), scriptedDesk(4)];
  const keys = typing();
  const { channel: made, stdout } = channel(
    [portOf(one, "lr"), portOf(two, "wd")],
    TTY,
    keys.input,
  );
  await made.start();
  two.write(said(1, "news"));
  for (const line of ["@wd hello", "@lr: /cancel 1", "who?", "/tick", "@wdd hello", "@lr"]) {
    keys.type(line);
  }
  keys.end();
  await made.inputEnded;
  made.remove("wd");
  one.write(said(1, "alone"));
  await made[Symbol.asyncDispose]();
  assert.match(stdout(), /^03:04:05 wd 🐕 news\n/);
  assert.deepEqual([one.heard.length, two.heard.map(({ text }) => text)], [0, ["hello"]]);
  assert.deepEqual([one.acted.length, two.acted.length], [1, 0]);
  assert.equal(
    stdout().match(/Which sweep is meant\? Begin with its name: @lr, @wd\./g)?.length,
    2,
  );
  assert.match(stdout(), /There is no sweep wdd here\. Did you mean @wd\?/);
  assert.match(stdout(), /What is it that lr should hear\?/);
  assert.match(stdout(), /03:04:05 🐕 alone\n$/);
});

test("an answer without a name goes to the only sweep that asked", () => {
  const ids = ["lr", "wd"];
  assert.deepEqual(addressed("2", ids, ["wd"]), { id: "wd", text: "2" });
  assert.ok("mistake" in addressed("2", ids, ["wd", "lr"]));
  assert.ok("mistake" in addressed("/tick", ids, ["wd"]));
  assert.deepEqual(addressed("@HerdDog hi", ["lr"]), { id: "lr", text: "@HerdDog hi" });
  assert.deepEqual(addressed("@lr hi", ["lr"]), { id: "lr", text: "hi" });
});

test("posts wrap at words under their own margin, and quote nothing that drives the terminal", () => {
  const look = { paint: createPaint(false), columns: 40 };
  const post = { kind: "agent" as const, at: AT };
  const lines = postLines(
    { ...post, text: "one two three four five six seven eight\u001b[2J" },
    look,
  );
  assert.deepEqual(lines, [
    "03:04:05 🐕 one two three four five six",
    "            seven eight\\x1b[2J",
  ]);
  assert.deepEqual(wrap("- a list that is long enough", 12), [
    "- a list",
    "  that is",
    "  long",
    "  enough",
  ]);
  assert.deepEqual(wrap("/a/path/that/is/longer", 10), ["/a/path/that/is/longer"]);
});
