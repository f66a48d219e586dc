import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { heldHere } from "../../../lib/mirror/held-here.ts";
import { MirrorError } from "../../../lib/mirror/mirror-error.ts";
import { createPuller, type Puller } from "../../../lib/mirror/pull.ts";
import type { Fetched } from "../../../lib/mirror/wanted.ts";
import { createFarHost, type FarHost } from "../../support/far-host.ts";
import { removeTree } from "../../support/remove-tree.ts";

interface Scene {
  host: FarHost;
  /** `.hyperherd` there and here. */
  there: string;
  here: string;
  warnings: string[];
  puller(aheadMs?: number, known?: ReadonlyMap<string, Fetched>): Puller;
  write(path: string, text: string | Uint8Array): void;
  append(path: string, text: string): void;
  read(path: string): string;
}

async function scene(
  act: (scene: Scene) => Promise<void>,
  env: (folder: string) => Record<string, string> = () => ({}),
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "herd-pull-"));
  const [there, here] = [join(folder, "there", ".hyperherd"), join(folder, "here")];
  for (const name of ["events", "logs", "results"]) {
    mkdirSync(join(there, name), { recursive: true });
  }
  mkdirSync(here);
  const host = createFarHost(env(folder));
  const warnings: string[] = [];
  const clock = createSystemClock();
  try {
    await act({
      ...{ host, there, here, warnings },
      puller: (aheadMs = 0, known = new Map()) =>
        createPuller({
          ...{ host, here, known, root: join(folder, "there"), assertOurs: () => {} },
          clock: { ...clock, now: () => clock.now() + aheadMs },
          log: (_, message) => void warnings.push(message),
        }),
      write(path, text) {
        mkdirSync(dirname(join(there, path)), { recursive: true });
        writeFileSync(join(there, path), text);
      },
      append: (path, text) => appendFileSync(join(there, path), text),
      read: (path) => readFileSync(join(here, path), "utf8"),
    });
  } finally {
    removeTree(folder);
  }
}

test("a log that was emptied and has grown past what it was is fetched anew", () =>
  scene(async ({ puller, write, append, there, read }) => {
    const one = puller();
    write("logs/0.out", "first line\n");
    await one.pull();
    truncateSync(join(there, "logs/0.out"));
    append("logs/0.out", "other line, and longer\n");
    await one.pull();
    assert.equal(read("logs/0.out"), "other line, and longer\n");
    append("logs/0.out", "more\n");
    assert.deepEqual(await one.pull().then(({ bytes }) => bytes), 5);
    assert.equal(read("logs/0.out"), "other line, and longer\nmore\n");
  }));

test("what an earlier place wrote stays, and what the new one writes follows it", () =>
  scene(async ({ puller, write, append, there, here, read }) => {
    const log = "logs/0.out";
    const stream = "results/0/stream/loss.jsonl";
    for (const [path, text] of [[log, "attempt 1\n"], [stream, '{"step": 1}\n']] as const) {
      mkdirSync(dirname(join(here, path)), { recursive: true });
      writeFileSync(join(here, path), text);
    }
    writeFileSync(join(here, "results/0.json"), "1");
    const one = puller(0, heldHere(here));
    write(log, "attempt 2\n");
    write(stream, '{"step": 1}\n{"step": 2}\n');
    write("results/0.json", "2");
    await one.pull();
    append(log, "more\n");
    await one.pull();
    assert.equal(read(log), "attempt 1\nattempt 2\nmore\n");
    assert.equal(read(stream), '{"step": 1}\n{"step": 1}\n{"step": 2}\n');
    assert.equal(read("results/0.json"), "2");
    // As after a kill that left half of a piece, and another process.
    appendFileSync(join(here, log), "mo");
    append(log, "again\n");
    const next = puller(0, new Map(one.known()));
    await next.pull();
    assert.equal(read(log), "attempt 1\nattempt 2\nmore\nagain\n");
    assert.equal((await next.pull()).bytes, 0);
    writeFileSync(join(there, log), "anew\n");
    await next.pull();
    assert.equal(read(log), "attempt 1\nanew\n");
    // Nobody knows any more what of it is whose.
    const lost = puller();
    writeFileSync(join(there, log), "other\n");
    await lost.pull();
    assert.equal(read(log), "attempt 1\nanew\nother\n");
  }));

test("a log that another one took the place of, with the same inode, is no mixture of both", () =>
  scene(async ({ puller, write, there, read }) => {
    const one = puller();
    write("results/0/stream/loss.jsonl", '{"step": 1, "value": 5}\n');
    await one.pull();
    const known = new Map(one.known());
    // File systems hand out the number of a file that is gone to the next one.
    write("results/0/stream/loss.jsonl", '{"step": 1, "value": 7}\n{"step": 2, "value": 8}\n');
    const { ino } = statSync(join(there, "results/0/stream/loss.jsonl"));
    assert.equal(known.get("results/0/stream/loss.jsonl")?.inode, `${ino}`);
    await one.pull();
    assert.equal(
      read("results/0/stream/loss.jsonl"),
      '{"step": 1, "value": 7}\n{"step": 2, "value": 8}\n',
    );
  }));

test("a kill in the midst of a fetch leaves nothing torn, and fetches only what is not known", () =>
  scene(async ({ puller, write, append, here, host, read }) => {
    const long = "line\n".repeat(50_000);
    write("logs/0.out", long);
    const one = puller();
    await one.pull();
    const known = new Map(one.known());
    append("logs/0.out", "second\n");
    // As it stands when a process is killed that had fetched half of it, and written nothing down.
    appendFileSync(join(here, "logs/0.out"), "sec");
    host.bytes = 0;
    const next = puller(0, known);
    await next.pull();
    assert.equal(read("logs/0.out"), `${long}second\n`);
    assert.ok(host.bytes < 2_000, `${host.bytes} bytes`);
    assert.deepEqual(readdirSync(join(here, "coming")), []);
  }));

for (const aheadMs of [-600_000, 600_000]) {
  test(`a clock here that is ${aheadMs / 60_000} minutes ahead: what changes comes, and what lives is seen to live`, () =>
    scene(async ({ puller, write, append, there, here, read }) => {
      const one = puller(aheadMs);
      write("events/s1/0.tsv", "start\n");
      write("logs/0.out", "one\n");
      const { skewMs } = await one.pull();
      assert.ok(Math.abs(skewMs - aheadMs) < 5_000, `${skewMs}`);
      const later = new Date(Date.now() + 1_000);
      utimesSync(join(there, "events/s1/0.tsv"), later, later);
      append("logs/0.out", "two\n");
      assert.equal((await one.pull()).files, 1);
      assert.equal(read("logs/0.out"), "one\ntwo\n");
      const seen = statSync(join(here, "events/s1/0.tsv")).mtimeMs;
      const now = Date.now() + aheadMs;
      assert.ok(Math.abs(seen - now) < 6_000, `no sign of life for ${(now - seen) / 1000} s`);
    }));
}

for (const seconds of [-600, 600]) {
  test(`a file server's clock that is ${seconds} s before the login node's makes no difference`, () =>
    scene(
      async ({ puller, write, append, here, read }) => {
        const one = puller();
        write("events/s1/0.tsv", "start\n");
        await one.pull();
        append("events/s1/0.tsv", "end\n");
        assert.equal((await one.pull()).files, 1);
        assert.equal(read("events/s1/0.tsv"), "start\nend\n");
        const seen = statSync(join(here, "events/s1/0.tsv")).mtimeMs;
        assert.ok(Math.abs(seen - Date.now()) < 6_000, `${(Date.now() - seen) / 1000} s`);
      },
      (folder) => {
        const bin = join(folder, "bin");
        mkdirSync(bin);
        // The disk's clock is this machine's; the login node's own differs.
        const text = `#!/bin/sh\nexec /bin/date -d "${-seconds} seconds" "$@"\n`;
        writeFileSync(join(bin, "date"), text, { mode: 0o755 });
        return { PATH: `${bin}:${process.env["PATH"]}` };
      },
    ));
}

test("a listing that was held up, as by a closed lid, does not say what time it is there", () =>
  scene(async ({ host, write, there, here }) => {
    const clock = createSystemClock();
    let aheadMs = 0;
    const one = createPuller({
      ...{ host, here, known: new Map(), root: dirname(there), assertOurs: () => {} },
      clock: { ...clock, now: () => clock.now() + aheadMs },
      log: () => {},
    });
    write("events/s1/0.tsv", "start\n");
    await one.pull();
    const run = host.run;
    host.run = async (...call) => {
      const ended = await run(...call);
      aheadMs = 7_200_000;
      return ended;
    };
    const { skewMs } = await one.pull();
    assert.ok(Math.abs(skewMs) < 5_000, `${skewMs}`);
  }));

test("names with newlines, quotes, dashes and signs come as they are; one that is no UTF-8 is told once", () =>
  scene(async ({ puller, write, there, here, read, warnings }) => {
    const names = [
      "a\nb.jsonl",
      "naïve \u{1F415}.txt",
      `it's "q" $HOME \`id\` \\.log`,
      "-rf",
      " lead",
      "x".repeat(255),
      "*?[a]",
      "a\tb",
    ];
    for (const name of names) write(`results/0/${name}`, name);
    const bytes = Buffer.concat([
      Buffer.from(join(there, "results/0/")),
      Buffer.from([0x61, 0xe9]),
    ]);
    writeFileSync(bytes, "latin");
    const one = puller();
    await one.pull();
    for (const name of names) assert.equal(read(`results/0/${name}`), name);
    assert.equal(readdirSync(join(here, "results/0")).length, names.length);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /its name is no UTF-8/);
    await puller().pull();
  }));

test("five thousand results come, each byte once", () =>
  scene(async ({ puller, write, host, here }) => {
    for (let i = 0; i < 5_000; i++) write(`results/${i % 500}/v${i}.json`, `{"value": ${i}}`);
    const one = puller();
    const report = await one.pull({ untilWhole: true });
    assert.deepEqual([report.files, report.isWhole], [5_000, true]);
    assert.equal(report.bytes, host.bytes);
    assert.equal(readdirSync(join(here, "results")).length, 500);
    assert.deepEqual(await one.pull().then(({ bytes }) => bytes), 0);
  }));

test("a large log comes piece by piece, and the end of a sweep waits for all of it", () =>
  scene(async ({ puller, there, here, write, host }) => {
    write("logs/0.out", "");
    truncateSync(join(there, "logs/0.out"), 40 * 1024 * 1024);
    const lengths: number[] = [];
    host.beforeRead = () => void lengths.push(0);
    const one = puller();
    const { isWhole, bytes } = await one.pull({ untilWhole: true });
    assert.deepEqual([isWhole, bytes], [true, 40 * 1024 * 1024]);
    assert.equal(lengths.length, 5);
    assert.equal(statSync(join(here, "logs/0.out")).size, 40 * 1024 * 1024);
  }));

test("a disk here that is full loses nothing: said, and fetched when there is room", () =>
  scene(async ({ puller, write, host, read }) => {
    write("logs/0.out", "one\n");
    write("events/s1/0.tsv", "start\n");
    host.beforeRead = () => {
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    };
    const one = puller();
    await assert.rejects(
      one.pull(),
      (error) =>
        error instanceof MirrorError && /there is no room/.test(error.message) &&
        /Nothing is lost/.test(error.hint ?? ""),
    );
    host.beforeRead = () => {};
    assert.deepEqual(await one.pull().then(({ files }) => files), 2);
    assert.equal(read("logs/0.out"), "one\n");
  }));

test("one file that cannot be had keeps back no other, and is told once", () =>
  scene(async ({ puller, write, here, read, warnings, append }) => {
    write("logs/0.out", "zero\n");
    write("logs/1.out", "one\n");
    mkdirSync(join(here, "logs/0.out/folder"), { recursive: true });
    const one = puller();
    assert.equal((await one.pull()).files, 1);
    append("logs/0.out", "more\n");
    await one.pull();
    assert.equal(read("logs/1.out"), "one\n");
    assert.equal(warnings.length, 1, warnings.join("\n"));
    rmSync(join(here, "logs/0.out"), { recursive: true });
    append("logs/0.out", "again\n");
    await one.pull();
    assert.equal(read("logs/0.out"), "zero\nmore\nagain\n");
  }));

test("a folder there that cannot be read, or is gone, is told, and what is here stays", () =>
  scene(async ({ puller, write, there, read, warnings }) => {
    const one = puller();
    write("logs/0.out", "one\n");
    await one.pull();
    rmSync(join(there, "results"), { recursive: true });
    await one.pull();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /^Cannot list what jobs wrote on "login" whole: .*results/);
    removeTree(there);
    await assert.rejects(one.pull(), /is not there any more/);
    assert.equal(read("logs/0.out"), "one\n");
  }));

test("a find that is not GNU's is told, and is not taken for an empty folder", () =>
  scene(
    async ({ puller, write, warnings }) => {
      write("logs/0.out", "one\n");
      await puller().pull().catch((error: Error) => warnings.push(error.message));
      assert.match(warnings.join("\n"), /unrecognized: -printf/);
    },
    (folder) => {
      const bin = join(folder, "bin");
      mkdirSync(bin);
      const text = "#!/bin/sh\necho 'find: unrecognized: -printf' >&2\nexit 1\n";
      writeFileSync(join(bin, "find"), text, { mode: 0o755 });
      return { PATH: `${bin}:${process.env["PATH"]}` };
    },
  ));

test("links there lead nowhere: what is behind them is nobody's who fetches", () =>
  scene(async ({ puller, write, there, here }) => {
    write("logs/0.out", "one\n");
    symlinkSync("/etc", join(there, "results/etc"));
    symlinkSync("/etc/passwd", join(there, "logs/passwd"));
    await puller().pull();
    assert.ok(!existsSync(join(here, "logs/passwd")) && !existsSync(join(here, "results/etc")));
  }));

test("a file that is put in its place anew while it is read is fetched as one of them", () =>
  scene(async ({ puller, write, there, read, host }) => {
    write("results/0/state.json", "a".repeat(100));
    host.beforeRead = () => {
      host.beforeRead = () => {};
      write("results/0/.next", "b".repeat(300));
      renameSync(join(there, "results/0/.next"), join(there, "results/0/state.json"));
    };
    const one = puller();
    await one.pull();
    await one.pull();
    assert.equal(read("results/0/state.json"), "b".repeat(300));
  }));
