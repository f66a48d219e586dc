import assert from "node:assert/strict";
import { test } from "node:test";
import type { PermissionRequest } from "../../../lib/chat/agent-session.ts";
import { type Grant, withGrant } from "../../../lib/chat/grants.ts";
import { createPermissions } from "../../../lib/chat/permissions.ts";
import type { PermissionWord } from "../../../lib/chat/turn.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";

const KINDS = {
  read: "allow",
  search: "allow",
  think: "allow",
  edit: "ask",
  move: "ask",
  execute: "ask",
  fetch: "ask",
  other: "ask",
  delete: "deny",
} as const;

function scene() {
  const clock = createSteppedClock();
  const shown: (string | undefined)[] = [];
  const behind: (number | undefined)[] = [];
  const words: PermissionWord[] = [];
  const audited: Record<string, unknown>[] = [];
  const grants = new Map<string, readonly Grant[]>();
  const disk = { isFull: false };
  const permissions = createPermissions({
    rules: () => ({ kinds: KINDS, timeoutMs: 600_000 }),
    clock,
    onAsk(_, request, answered) {
      shown.push(request?.title);
      behind.push(request?.behind);
      if (answered !== undefined) words.push(answered);
    },
    granted: (conversation) => grants.get(conversation) ?? [],
    grant(conversation, grant) {
      if (disk.isFull) throw new Error("ENOSPC");
      grants.set(conversation, withGrant(grants.get(conversation) ?? [], grant));
    },
    audit: (_, fields) => audited.push(fields),
  });
  return { clock, shown, behind, words, audited, permissions, grants, disk };
}

function request(kind: PermissionRequest["kind"], tool = "make"): PermissionRequest {
  return { kind, tool, title: `${tool} it`, detail: `${tool} all` };
}

const running = () => new AbortController().signal;

test("reading is allowed, what is dangerous is denied, and both are audited", async () => {
  const { permissions, shown, audited } = scene();
  assert.equal(await permissions.ask("1", request("read"), running()), "once");
  assert.equal(await permissions.ask("1", request("delete"), running()), "deny");
  assert.deepEqual(shown, []);
  assert.deepEqual(audited.map(({ answer, by }) => [answer, by]), [
    ["once", "policy"],
    ["deny", "policy"],
  ]);
});

test("a person's word counts, and always is said of that tool in that conversation only", async () => {
  const { permissions, shown, grants } = scene();
  const first = permissions.ask("1", request("execute"), running());
  assert.equal(permissions.answer("2", "once", "7"), false);
  assert.equal(permissions.answer("1", "always", "7"), true);
  assert.equal(await first, "always");
  assert.deepEqual(shown, ["make it", undefined]);
  assert.equal(await permissions.ask("1", request("execute"), running()), "always");
  for (const [conversation, other] of [["1", "rm"], ["2", "make"]] as const) {
    const asked = permissions.ask(conversation, request("execute", other), running());
    assert.equal(permissions.open(conversation)?.tool, other);
    permissions.answer(conversation, "deny", "7");
    assert.equal(await asked, "deny");
  }
  grants.delete("1");
  const again = permissions.ask("1", request("execute"), running());
  permissions.answer("1", "once", "7");
  assert.equal(await again, "once");
});

test("an always that cannot be stored is allowed once, and that is audited", async () => {
  const { permissions, disk, audited } = scene();
  disk.isFull = true;
  const first = permissions.ask("1", request("execute"), running());
  permissions.answer("1", "always", "7");
  assert.equal(await first, "once");
  assert.match(String(audited.at(-1)!["error"]), /ENOSPC/);
  const second = permissions.ask("1", request("execute"), running());
  permissions.answer("1", "deny", "7");
  assert.equal(await second, "deny");
});

test("of more than a hundred grants the oldest are asked for again", async () => {
  const { permissions, grants } = scene();
  for (let i = 0; i <= 100; i++) {
    const asked = permissions.ask("1", request("execute", `t${i}`), running());
    permissions.answer("1", "always", "7");
    assert.equal(await asked, "always");
  }
  assert.deepEqual([grants.get("1")!.length, grants.get("1")![0]!.tool], [100, "t1"]);
});

test("silence is denial, and so are the end of the turn and a reset", async () => {
  const { permissions, clock, audited } = scene();
  const silent = permissions.ask("1", request("edit"), running());
  clock.advance(599_000);
  assert.ok(permissions.open("1"));
  clock.advance(2_000);
  assert.equal(await silent, "deny");
  const turn = new AbortController();
  const stopped = permissions.ask("1", request("edit"), turn.signal);
  turn.abort();
  assert.equal(await stopped, "deny");
  const reset = permissions.ask("1", request("edit"), running());
  permissions.forget("1");
  assert.equal(await reset, "deny");
  assert.deepEqual(audited.map(({ by }) => by), ["silence", "the end of the turn", "a reset"]);
});

test("a storm of requests is asked one by one, and what is beyond twenty is denied", async () => {
  const { permissions, shown, behind, words, audited } = scene();
  const all = Array.from(
    { length: 25 },
    (_, i) => permissions.ask("1", request("execute", `t${i}`), running()),
  );
  assert.equal(behind.at(-1), 19);
  assert.deepEqual(words.map(({ what, answer }) => [what, answer]).at(-1), ["t24 it", "deny"]);
  assert.equal(audited.length, 5);
  for (let i = 0; i < 20; i++) {
    assert.equal(permissions.open("1")?.tool, `t${i}`);
    permissions.answer("1", "once", "7");
    await all[i];
  }
  assert.deepEqual((await Promise.all(all)).filter((one) => one === "deny").length, 5);
  assert.equal(shown.at(-1), undefined);
});

test("always and a no count for the same questions that wait, once for one", async () => {
  for (
    const [answer, answers] of [
      ["once", ["once", undefined, undefined]],
      ["always", ["always", "always", undefined]],
      ["deny", ["deny", "deny", undefined]],
    ] as const
  ) {
    const { permissions } = scene();
    const got: (string | undefined)[] = [undefined, undefined, undefined];
    const asked = ["a", "a", "b"].map((tool, i) =>
      permissions.ask("1", request("execute", tool), running()).then((said) => got[i] = said)
    );
    permissions.answer("1", answer, "7");
    await asked[0];
    await Promise.resolve();
    assert.deepEqual(got, answers);
    permissions.forget("1");
    await Promise.all(asked);
  }
});

test("an answer is one question's: a second one, or one to an earlier question, counts for nothing", async () => {
  const { permissions } = scene();
  const first = permissions.ask("1", request("execute", "a"), running());
  const second = permissions.ask("1", request("execute", "b"), running());
  const { question } = permissions.open("1")!;
  assert.equal(permissions.answer("1", "once", "7", question), true);
  // In the same moment, before anything else could happen.
  assert.equal(permissions.answer("1", "once", "8", question), false);
  assert.equal(await first, "once");
  assert.equal(permissions.answer("1", "once", "8", question), false);
  const next = permissions.open("1")!.question;
  assert.notEqual(next, question);
  assert.equal(permissions.answer("1", "deny", "8", next), true);
  assert.equal(await second, "deny");
});
