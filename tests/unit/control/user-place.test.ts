import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import test from "node:test";
import { RefusedError, UserError } from "../../../lib/base/errors.ts";
import { prepare, readToken, userPlace } from "../../../lib/control/user-place.ts";
import type { UserPlace } from "../../../lib/control/user-place.ts";

const UID = userInfo().uid;
const SOMEBODY_ELSE = UID + 1;

/** A state and a runtime folder of a test's own; the folder below /tmp is taken out of the way. */
function inPlace(use: (place: UserPlace, folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "herd-place-"));
  const runtime = join(folder, "run");
  mkdirSync(runtime, { mode: 0o700 });
  const env = { XDG_STATE_HOME: join(folder, "state"), XDG_RUNTIME_DIR: runtime };
  const place = userPlace(env, UID, "login1");
  try {
    use(place, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const mode = (path: string) => statSync(path).mode & 0o777;

test("state is per host, under XDG_STATE_HOME or the home", () => {
  const env = { HOME: "/home/a" };
  assert.equal(userPlace(env, 7, "login1").folder, "/home/a/.local/state/herd/login1");
  const told = { ...env, XDG_STATE_HOME: "/scratch/a" };
  const place = userPlace(told, 7, "login2.site");
  assert.equal(place.record, "/scratch/a/herd/login2.site/daemon.json");
  assert.equal(place.token, "/scratch/a/herd/login2.site/token");
  assert.equal(place.log, "/scratch/a/herd/login2.site/daemon.log");
  const relative = userPlace({ ...env, XDG_STATE_HOME: "relative" }, 7, "h");
  assert.equal(relative.folder, "/home/a/.local/state/herd/h");
  assert.throws(() => userPlace({}, 7, "h"), UserError);
});

test("a host name cannot lead out of the folder", () => {
  const env = { HOME: "/home/a" };
  for (const host of ["../../etc", "..", ".", "", "a/b", "a\nb", "a\0b"]) {
    const { folder } = userPlace(env, 7, host);
    assert.equal(dirname(folder), "/home/a/.local/state/herd", JSON.stringify(host));
    assert.ok(!["", ".", ".."].includes(folder.slice(dirname(folder).length + 1)));
  }
});

test("the socket is in the runtime folder, else below /tmp, else beside the state", () => {
  const env = { HOME: "/home/a", XDG_RUNTIME_DIR: "/run/user/7" };
  const [first, second, third] = userPlace(env, 7, "h").sockets.map(({ path }) => path);
  assert.match(first!, /^\/run\/user\/7\/herd\/[0-9a-f]{12}\.sock$/);
  assert.match(second!, /^\/tmp\/herd-7\/[0-9a-f]{12}\/control\.sock$/);
  assert.equal(third, "/home/a/.local/state/herd/h/control.sock");
  assert.equal(userPlace({ HOME: "/home/a" }, 7, "h").sockets.length, 2);
  const other = userPlace({ ...env, XDG_STATE_HOME: "/other" }, 7, "h").sockets[0]!.path;
  assert.notEqual(other, first);
});

test("a path that no socket can have is not chosen", () => {
  const long = userPlace(
    { HOME: `/${"h".repeat(90)}`, XDG_RUNTIME_DIR: `/${"ü".repeat(50)}` },
    7,
    "x",
  );
  assert.deepEqual(long.sockets.map(({ path }) => path.slice(0, 11)), ["/tmp/herd-7"]);
});

test("G.3.25: what is made is for this user alone, and each start has a token of its own", () =>
  inPlace((place) => {
    const before = process.umask(0);
    try {
      const first = prepare(place);
      assert.ok(existsSync(dirname(first.socketPath)));
      for (const folder of [place.folder, dirname(first.socketPath)]) {
        assert.equal(mode(folder), 0o700);
      }
      assert.equal(mode(place.token), 0o600);
      assert.match(first.token, /^[\w-]{43}$/);
      assert.equal(readToken(place), first.token);
      const second = prepare(place);
      assert.notEqual(second.token, first.token);
      assert.equal(second.socketPath, first.socketPath);
      assert.equal(readFileSync(place.token, "utf8"), `${second.token}\n`);
    } finally {
      process.umask(before);
    }
  }));

test("a folder of ours that others may enter is closed to them", () =>
  inPlace((place) => {
    mkdirSync(place.folder, { recursive: true });
    chmodSync(place.folder, 0o755);
    prepare(place);
    assert.equal(mode(place.folder), 0o700);
  }));

test("a runtime folder that others may enter, that is a link or not there is not used", () =>
  inPlace((_, folder) => {
    const open = join(folder, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    symlinkSync(join(folder, "run"), join(folder, "link"));
    for (const name of ["open", "link", "none"]) {
      const env = { XDG_STATE_HOME: join(folder, "s"), XDG_RUNTIME_DIR: join(folder, name) };
      const { socketPath } = prepare(userPlace(env, UID, "h"));
      assert.ok(socketPath.startsWith(`/tmp/herd-${UID}/`), socketPath);
      rmSync(dirname(socketPath), { recursive: true });
    }
  }));

test("another user's folder is refused: for the socket the next place is taken", () =>
  inPlace((place, folder) => {
    const theirs = join(folder, "theirs");
    mkdirSync(theirs, { mode: 0o700 });
    const link = join(folder, "link");
    symlinkSync(theirs, link);
    const file = join(folder, "file");
    writeFileSync(file, "");
    const own = join(folder, "own");
    mkdirSync(own, { mode: 0o700 });
    const socketAt = (at: string) => ({ path: join(at, "s"), folders: [at] });
    for (const bad of [link, file]) {
      const { socketPath } = prepare({ ...place, sockets: [socketAt(bad), socketAt(own)] });
      assert.equal(socketPath, join(own, "s"));
    }
    assert.throws(
      () => prepare({ ...place, sockets: [socketAt(link), socketAt(file)] }),
      (error) => {
        assert.ok(error instanceof RefusedError);
        assert.match(error.message, /symbolic link.*no folder/);
        return true;
      },
    );
  }));

test("state that belongs to somebody else, or is a link, is refused before a token is written", () =>
  inPlace((place, folder) => {
    mkdirSync(place.folder, { recursive: true, mode: 0o700 });
    assert.throws(() => prepare({ ...place, uid: SOMEBODY_ELSE }), (error) => {
      assert.ok(error instanceof RefusedError);
      assert.match(error.message, new RegExp(`belongs to user ${UID}`));
      return true;
    });
    rmSync(place.folder, { recursive: true });
    symlinkSync(folder, place.folder);
    assert.throws(() => prepare(place), RefusedError);
    assert.ok(!existsSync(place.token));
  }));

test("G.3.25: a token that others can read, or that is another's, is no token", () =>
  inPlace((place) => {
    prepare(place);
    assert.ok(readToken(place));
    assert.equal(readToken({ ...place, uid: SOMEBODY_ELSE }), undefined);
    chmodSync(place.token, 0o644);
    assert.equal(readToken(place), undefined);
    rmSync(place.token);
    assert.equal(readToken(place), undefined);
  }));

test("the socket of agents' tools has a folder of its own, as they can see into it", () => {
  const env = { HOME: "/home/a", XDG_RUNTIME_DIR: "/run/user/7" };
  const { sockets, toolSockets } = userPlace(env, 7, "h");
  assert.equal(toolSockets.length, sockets.length);
  const folders = sockets.map(({ path }) => dirname(path));
  for (const { path, folders: made } of toolSockets) {
    assert.ok(!folders.includes(dirname(path)), path);
    assert.equal(made.at(-1), dirname(path));
  }
});
