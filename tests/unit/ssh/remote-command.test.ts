import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { markPattern, remoteCommand } from "../../../lib/ssh/remote-command.ts";
import { hostileWords, randomHostileWords } from "../../support/hostile-words.ts";
import { seeded } from "../../support/random-text.ts";
import { createSshScene } from "../../support/ssh-scene.ts";
import { startSshd, withoutSshd } from "../../support/sshd.ts";

const SHELLS = ["/bin/bash", "/bin/dash", "/usr/bin/zsh", "/usr/bin/tcsh", "/usr/bin/fish"];

const SEED = 7;
const CANARY = join(tmpdir(), `herd-canary-${process.pid}`);
const HOSTILE = hostileWords(CANARY);

/** Prints each word on its own, so that nothing is lost between them. */
const SHOW = ["sh", "-c", 'for w; do printf "%s\\0" "$w"; done', "sh"];

function show(stdout: string): string[] {
  return stdout.split("\0").slice(0, -1);
}

for (const shell of SHELLS) {
  const skip = withoutSshd || (existsSync(shell) ? false : `there is no ${shell} here`);
  test(`no word is interpreted where the login shell is ${shell}`, { skip }, async () => {
    await using server = await startSshd({ shell });
    await using scene = createSshScene();
    server.authorize(`${scene.key("id_ed25519")}.pub`);
    scene.trust(server);
    const host = scene.host(`127.0.0.1:${server.port}`);
    const many = await host.run([...SHOW, ...HOSTILE]);
    assert.equal(many.stderr, "");
    assert.deepEqual(show(many.stdout), HOSTILE);

    const long = "x'\n$(y)".repeat(15_000);
    const one = await host.run([...SHOW, long], { input: "" });
    assert.equal(show(one.stdout)[0] === long, true);
    const read = await host.run(["sh", "-c", 'cat; printf %s "$1" | wc -c', "sh", long], {
      input: "the program's own input",
    });
    assert.equal(read.stdout, `the program's own input${long.length}\n`);

    const env = { HERD_TEST: "it's\n$(x)\n", HERD_EMPTY: "" };
    const placed = await host.run(
      ["sh", "-c", 'printf "%s|%s|" "$HERD_TEST" "${HERD_EMPTY-unset}"; pwd'],
      { env, cwd: "/usr/share" },
    );
    assert.equal(placed.stdout, `${env.HERD_TEST}||/usr/share\n`);

    const random = seeded(SEED);
    for (let turn = 0; turn < 4; turn++) {
      const some = randomHostileWords(random, { canary: CANARY, count: 120 });
      const [name, value, ...words] = some.filter((word) => word.length < 80);
      const cwd = join(scene.home, `in ${name!.replaceAll("/", "")}`);
      mkdirSync(cwd, { recursive: true });
      const placed = await host.run(
        ["sh", "-c", 'pwd -P; printf "%s\\0" "$HERD_TEST" "$@"', "sh", ...words],
        { env: { HERD_TEST: value! }, cwd },
      );
      assert.equal(placed.stderr, "");
      assert.equal(placed.stdout, `${cwd}\n${[value, ...words, ""].join("\0")}`);
    }
    assert.equal(existsSync(CANARY), false, "nothing was interpreted");
  });
}

test("the line has only signs that every login shell takes as they are", () => {
  const { line } = remoteCommand(["x", ...HOSTILE], {
    mark: "m",
    terminal: false,
    cwd: "/a b'!",
    env: { A: "!'\n" },
    unset: ["SQUEUE_FORMAT"],
  });
  const inside = /^exec \/bin\/sh -c '([^']*)'$/.exec(line)?.[1];
  assert.ok(inside);
  assert.doesNotMatch(inside, /[!\p{Cc}]|[^\p{ASCII}]/u);
  assert.doesNotMatch(inside, /\\(?!0[0-3][0-7][0-7])/);
});

test("every byte comes through, each by itself and before each digit", () => {
  const words = Array.from({ length: 127 }, (_, code) => String.fromCharCode(code + 1))
    .flatMap((one) => [one, `${one}7`, `8${one}`]);
  const { line } = remoteCommand([...SHOW, ...words], { mark: "m", terminal: false });
  const printed = execFileSync("/bin/bash", ["-c", line], { stdio: ["ignore", "pipe", "ignore"] })
    .toString();
  assert.deepEqual(show(printed.replace(markPattern("m"), "")), words);
});

test("what cannot be a word, a variable or a program is refused before anything is sent", () => {
  const options = { mark: "m", terminal: false };
  assert.throws(() => remoteCommand([], options), UserError);
  assert.throws(() => remoteCommand(["-x"], options), UserError);
  assert.throws(() => remoteCommand(["x", "a\0b"], options), UserError);
  assert.throws(() => remoteCommand(["x"], { ...options, env: { "a;b": "" } }), UserError);
  assert.throws(() => remoteCommand(["x"], { ...options, unset: ["$(x)"] }), UserError);
});
