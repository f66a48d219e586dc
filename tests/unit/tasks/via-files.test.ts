import assert from "node:assert/strict";
import {
  chmodSync,
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
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { WorkerOrders, WorkerReport } from "../../../lib/tasks/exchange.ts";
import { createFilesLink } from "../../../lib/tasks/via-files.ts";
import { createFilesDoor } from "../../../lib/tasks/via-files-door.ts";
import { LinkError } from "../../../lib/tasks/worker-link.ts";
import { RESOLVED } from "../../support/pool-world.ts";
import { createSteppedClock } from "../../support/stepped-clock.ts";
import { createVirtualTime } from "../../support/virtual-time.ts";

function reportOf(number: number, rest: Partial<WorkerReport> = {}): WorkerReport {
  return {
    worker: "w1",
    incarnation: "life",
    startedAt: 1,
    number,
    version: "1",
    host: "h",
    slots: 1,
    labels: [],
    sandboxes: ["none"],
    leaving: false,
    attempts: [],
    ...rest,
  };
}

const ASSIGN = { task: "t1", epoch: 1, revision: 1, prompt: "do", ...RESOLVED };

/** A pool's folder, the coordinator's door to it over a desk of notes, and time that a test moves. */
function createScene() {
  const root = mkdtempSync(join(tmpdir(), "herd-files-"));
  const folder = join(root, "pool");
  const time = createVirtualTime();
  const exchanged: WorkerReport[] = [];
  const said: string[] = [];
  const listeners = new Set<() => void>();
  let more: Partial<WorkerOrders> = {};
  const ordersFor = ({ worker, incarnation, number }: WorkerReport): WorkerOrders => ({
    worker,
    incarnation,
    number,
    assign: [],
    cancel: [],
    settled: [],
    drain: false,
    stop: false,
    fenceMs: 200_000,
    dismissed: undefined,
    ...more,
  });
  const openDoor = () =>
    createFilesDoor({
      folder,
      clock: time.clock,
      desk: {
        exchange(report) {
          exchanged.push(report);
          return ordersFor(report);
        },
        ordersFor,
        onChange(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      log: { write: (_, message) => void said.push(message) },
    });
  const path = (worker: string, file = "") => join(folder, "workers", worker, file);
  return {
    root,
    folder,
    time,
    exchanged,
    said,
    listeners,
    openDoor,
    path,
    set more(orders: Partial<WorkerOrders>) {
      more = orders;
    },
    changed: () => listeners.forEach((tell) => tell()),
    link: (worker = "w1") => createFilesLink({ folder, worker, clock: time.clock }),
    put(worker: string, text: string) {
      mkdirSync(path(worker), { recursive: true, mode: 0o700 });
      writeFileSync(path(worker, "report.json"), text);
    },
    orders: (worker: string): WorkerOrders =>
      JSON.parse(readFileSync(path(worker, "orders.json"), "utf8")),
    pass: (ms: number) => time.runUntil(time.now() + ms),
  };
}

type Scene = ReturnType<typeof createScene>;

function withScene(act: (scene: Scene) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const scene = createScene();
    try {
      await act(scene);
    } finally {
      rmSync(scene.root, { recursive: true, force: true });
    }
  };
}

const ASK = { signal: new AbortController().signal, waitMs: 0 };

test(
  "a report and its orders pass through two files that nobody else can read",
  withScene(async (s) => {
    s.more = { assign: [ASSIGN] };
    await using door = s.openDoor();
    door.start();
    const answered = s.link().exchange(reportOf(1), ASK);
    await s.pass(10_000);
    assert.deepEqual((await answered).assign.map(({ task }) => task), ["t1"]);
    assert.deepEqual(s.exchanged, [reportOf(1)]);
    for (const file of ["report.json", "orders.json"]) {
      assert.equal(statSync(s.path("w1", file)).mode & 0o777, 0o600);
    }
    assert.deepEqual(readdirSync(s.path("w1")).sort(), ["orders.json", "report.json"]);
    assert.equal(statSync(s.path("w1")).mode & 0o777, 0o700);
  }),
);

test(
  "a report counts once, however often it is looked at and whatever its file's time says",
  withScene((s) => {
    const door = s.openDoor();
    s.put("w1", JSON.stringify(reportOf(4)));
    for (let i = 0; i < 5; i++) {
      utimesSync(s.path("w1", "report.json"), i * 1_000_000, i * 1_000_000);
      door.look();
    }
    assert.equal(s.exchanged.length, 1);
    s.put("w1", JSON.stringify(reportOf(5)));
    utimesSync(s.path("w1", "report.json"), 0, 0);
    door.look();
    assert.equal(s.exchanged.length, 2);
  }),
);

test(
  "what an earlier coordinator answered is no sign of life for the next one",
  withScene((s) => {
    s.put("w1", JSON.stringify(reportOf(4)));
    s.openDoor().look();
    assert.equal(s.exchanged.length, 1);
    const next = s.openDoor();
    next.look();
    assert.equal(s.exchanged.length, 1);
    s.put("w1", JSON.stringify(reportOf(5)));
    next.look();
    assert.equal(s.exchanged.length, 2);
    assert.equal(s.orders("w1").number, 5);
  }),
);

test(
  "orders are written when they change, soon, and otherwise left alone",
  withScene(async (s) => {
    const door = s.openDoor();
    s.put("w1", JSON.stringify(reportOf(1)));
    door.start();
    await s.pass(100);
    const first = statSync(s.path("w1", "orders.json")).ino;
    await s.pass(60_000);
    assert.equal(statSync(s.path("w1", "orders.json")).ino, first);
    s.more = { assign: [ASSIGN] };
    s.changed();
    await s.pass(300);
    assert.equal(s.orders("w1").assign.length, 1);
    const disposed = door[Symbol.asyncDispose]();
    await s.pass(10_000);
    await disposed;
    assert.equal(s.listeners.size, 0);
  }),
);

test(
  "a worker waits for orders to its own report of its own life",
  withScene(async (s) => {
    mkdirSync(s.path("w1"), { recursive: true, mode: 0o700 });
    const put = (rest: Partial<WorkerOrders>) => {
      const orders = { worker: "w1", incarnation: "life", number: 9, assign: [], cancel: [] };
      const whole = {
        ...orders,
        settled: [],
        drain: false,
        stop: false,
        fenceMs: 200_000,
        ...rest,
      };
      writeFileSync(s.path("w1", "orders.new"), JSON.stringify(whole));
      renameSync(s.path("w1", "orders.new"), s.path("w1", "orders.json"));
    };
    const state: { orders?: WorkerOrders } = {};
    const asked = s.link().exchange(reportOf(9), ASK).then((orders) =>
      void (state.orders = orders)
    );
    for (const other of [{ number: 8 }, { number: 10 }, { incarnation: "old" }, { worker: "w2" }]) {
      put({ ...other, assign: [ASSIGN] });
      await s.pass(3_000);
      assert.equal(state.orders, undefined);
    }
    put({});
    await s.pass(3_000);
    await asked;
    assert.equal(state.orders!.number, 9);
  }),
);

test(
  "with time to wait, a worker hears at once what is new, and nothing else before its time",
  withScene(async (s) => {
    await using door = s.openDoor();
    door.start();
    let isOver = false;
    const asked = s.link().exchange(reportOf(1), { ...ASK, waitMs: 15_000 });
    asked.then(() => isOver = true, () => {});
    await s.pass(10_000);
    assert.ok(!isOver);
    s.more = { cancel: [{ task: "t1", epoch: 1, why: "no" }] };
    s.changed();
    await s.pass(2_000);
    assert.equal((await asked).cancel.length, 1);
    s.more = {};
    const begun = s.time.now();
    const quiet = s.link().exchange(reportOf(2), { ...ASK, waitMs: 15_000 });
    await s.pass(20_000);
    assert.equal((await quiet).number, 2);
    assert.ok(s.time.now() - begun >= 15_000);
  }),
);

test(
  "a coordinator that is away is told as such, and an abort ends the waiting",
  withScene(async (s) => {
    const asked = s.link().exchange(reportOf(1), ASK);
    const failed = assert.rejects(
      asked,
      (error) => error instanceof LinkError && error.kind === "unreachable",
    );
    await s.pass(80_000);
    await failed;
    const abort = new AbortController();
    const left = s.link().exchange(reportOf(2), { signal: abort.signal, waitMs: 0 });
    abort.abort("news");
    await assert.rejects(left, (why) => why === "news");
  }),
);

test(
  "torn, foreign and hostile files are said once, skipped, and hold up nobody else",
  withScene((s) => {
    const door = s.openDoor();
    const good = JSON.stringify(reportOf(1, { worker: "good" }));
    s.put("good", good);
    const hostile: Record<string, () => void> = {
      torn: () => {
        s.put("torn", good);
        truncateSync(s.path("torn", "report.json"), 40);
      },
      empty: () => s.put("empty", ""),
      binary: () => {
        s.put("binary", "");
        writeFileSync(s.path("binary", "report.json"), Buffer.from([0xff, 0xfe, 0]));
      },
      another: () => s.put("another", good),
      huge: () => {
        s.put("huge", "");
        truncateSync(s.path("huge", "report.json"), 10 * 2 ** 30);
      },
      link: () => {
        s.put("link", "");
        rmSync(s.path("link", "report.json"));
        symlinkSync(s.path("good", "report.json"), s.path("link", "report.json"));
      },
      folder: () => mkdirSync(s.path("folder", "report.json"), { recursive: true, mode: 0o700 }),
      pipe: () => {
        mkdirSync(s.path("pipe"), { mode: 0o700 });
        assert.equal(spawnSync("mkfifo", [s.path("pipe", "report.json")]).status, 0);
      },
      open: () => {
        s.put("open", JSON.stringify(reportOf(1, { worker: "open" })));
        chmodSync(s.path("open"), 0o777);
      },
      alias: () => symlinkSync(s.path("good"), s.path("alias")),
      file: () => writeFileSync(s.path("file"), "x"),
    };
    for (const make of Object.values(hostile)) make();
    for (let i = 0; i < 3; i++) door.look();
    assert.deepEqual(s.exchanged.map(({ worker }) => worker), ["good"]);
    for (const name of Object.keys(hostile)) {
      const lines = s.said.filter((line) => line.includes(`workers/${name}`));
      assert.equal(lines.length, 1, `${name}: ${lines.join("; ")}`);
      assert.ok(!existsSync(join(s.path(name), "orders.json")) || name === "alias", name);
    }
    assert.ok(!s.said.some((line) => line.includes("workers/good")));

    s.put("torn", JSON.stringify(reportOf(1, { worker: "torn" })));
    door.look();
    assert.equal(s.exchanged.at(-1)!.worker, "torn", "mended");
  }),
);

test(
  "a folder of workers that others may change, or that is a link, is not used at all",
  withScene((s) => {
    s.put("w1", JSON.stringify(reportOf(1)));
    const workers = join(s.folder, "workers");
    chmodSync(workers, 0o777);
    s.openDoor().look();
    chmodSync(workers, 0o700);
    renameSync(workers, `${workers}-real`);
    symlinkSync(`${workers}-real`, workers);
    s.openDoor().look();
    assert.equal(s.exchanged.length, 0);
    assert.equal(s.said.length, 2);
  }),
);

test(
  "a folder that belongs to somebody else is refused on both sides",
  withScene(async (s) => {
    s.put("w1", JSON.stringify(reportOf(1)));
    if (process.getuid?.() !== 0) return;
    assert.equal(spawnSync("chown", ["65534", s.path("w1")]).status, 0);
    s.openDoor().look();
    assert.equal(s.exchanged.length, 0);
    assert.match(s.said[0]!, /belongs to user 65534/);
    await assert.rejects(
      s.link().exchange(reportOf(1), ASK),
      (error) => error instanceof LinkError && error.kind === "refused",
    );
  }),
);

test(
  "a link in place of the orders is replaced, not written through",
  withScene((s) => {
    s.put("w1", JSON.stringify(reportOf(1)));
    const victim = join(s.root, "victim");
    writeFileSync(victim, "precious");
    symlinkSync(victim, s.path("w1", "orders.json"));
    s.openDoor().look();
    assert.equal(readFileSync(victim, "utf8"), "precious");
    assert.equal(s.orders("w1").number, 1);
  }),
);

test(
  "a worker does not obey a link, a torn file or somebody's nonsense",
  withScene(async (s) => {
    mkdirSync(s.path("w1"), { recursive: true, mode: 0o700 });
    writeFileSync(s.path("w1", "orders.json"), '{"worker":"w1","incar');
    const unreadable = (error: unknown) =>
      error instanceof LinkError && error.kind === "unreadable";
    await assert.rejects(s.link().exchange(reportOf(1), ASK), unreadable);
    rmSync(s.path("w1", "orders.json"));
    symlinkSync("/etc/passwd", s.path("w1", "orders.json"));
    await assert.rejects(s.link().exchange(reportOf(1), ASK), unreadable);
  }),
);

test(
  "a desk whose disk refuses answers nothing, and is asked again",
  withScene((s) => {
    let full = true;
    const door = createFilesDoor({
      folder: s.folder,
      clock: createSteppedClock(),
      desk: {
        exchange(report) {
          if (full) throw new Error("Cannot write the journal");
          s.exchanged.push(report);
          throw new Error("Cannot write the journal");
        },
        ordersFor: () => assert.fail("not heard yet"),
        onChange: () => () => {},
      },
      log: { write: (_, message) => void s.said.push(message) },
    });
    s.put("w1", JSON.stringify(reportOf(1)));
    door.look();
    door.look();
    assert.ok(!existsSync(s.path("w1", "orders.json")));
    assert.equal(s.said.length, 1);
    full = false;
    door.look();
    assert.equal(s.exchanged.length, 1);
  }),
);

test(
  "D.11.25: who was killed in the middle of writing leaves no lock and no half report",
  withScene(async (s) => {
    s.put("w1", JSON.stringify(reportOf(1)));
    const torn = s.path("w1", "report.json.77.abcdef01.tmp");
    writeFileSync(torn, '{"worker":"w1"');
    writeFileSync(s.path("w1", "orders.json.78.abcdef02.tmp"), "{");
    await using door = s.openDoor();
    door.start();
    await s.pass(1_000);
    assert.deepEqual(s.exchanged.map(({ number }) => number), [1]);
    const answered = s.link().exchange(reportOf(2), ASK);
    await s.pass(10_000);
    assert.equal((await answered).number, 2);
    assert.deepEqual(readdirSync(s.path("w1")).sort(), ["orders.json", "report.json"]);
  }),
);

test(
  "D.11.25: workers whose names begin alike are told apart, and large reports never mix",
  withScene((s) => {
    const door = s.openDoor();
    const host = (name: string) => name.padEnd(200, "x");
    const names = ["worker-1", "worker-12", "worker-123"];
    for (const name of names) {
      s.put(name, JSON.stringify(reportOf(1, { worker: name, host: host(name) })));
    }
    s.put("not a worker", JSON.stringify(reportOf(1)));
    door.look();
    assert.deepEqual(
      s.exchanged.map(({ worker, host }) => [worker, host]),
      names.map((name) => [name, host(name)]),
    );
    for (const name of names) assert.equal(s.orders(name).worker, name);
  }),
);
