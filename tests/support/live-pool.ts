import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Event } from "../../lib/sweep/event.ts";
import type { PoolHappening } from "../../lib/tasks/pool-event.ts";
import type { TaskDocument } from "../../lib/tasks/task-document.ts";
import { makeHome } from "./daemon.ts";
import type { Home } from "./daemon.ts";
import { HERD, herd } from "./herd.ts";

interface Test {
  after(act: () => unknown): void;
}

export interface LivePoolOptions {
  /** The section `pool`; `FOLDER` is the home. Without it there is no configuration yet. */
  yaml?: string;
  /** Programs below the home, by name. */
  programs?: Readonly<Record<string, string>>;
  env?: Record<string, string>;
}

export interface LiveProcess {
  child: ChildProcess;
  output(): string;
  ended: Promise<number | null>;
}

/** A pool of compiled binaries: one daemon, any number of workers. At the end nothing of it is left. */
export interface LivePool {
  home: Home;
  path(...parts: string[]): string;
  /** Starts it; resolves when it answers. */
  daemon(): Promise<LiveProcess>;
  worker(...args: string[]): LiveProcess;
  /** One with a home of its own, enrolled by a code, that reaches the daemon at its port. */
  elsewhere(name: string, ...args: string[]): Promise<LiveProcess>;
  /** Lines of the pool's audit. */
  audit(): Record<string, unknown>[];
  run(...args: string[]): ReturnType<typeof herd>;
  task(id: string): Promise<TaskDocument>;
  tasks(): Promise<readonly TaskDocument[]>;
  events(): Event<PoolHappening>[];
  until(what: string, holds: () => boolean | Promise<boolean>, ms?: number): Promise<void>;
}

export function livePool(t: Test, options: LivePoolOptions): LivePool {
  const home = makeHome({ NO_COLOR: "1", ...options.env });
  const path = (...parts: string[]) => join(home.env["HOME"]!, ...parts);
  mkdirSync(path(".config/herd"), { recursive: true });
  for (const [name, text] of Object.entries(options.programs ?? {})) {
    writeFileSync(path(name), text);
    chmodSync(path(name), 0o755);
  }
  delete home.env["XDG_CONFIG_HOME"];
  if (options.yaml !== undefined) {
    const yaml = options.yaml.replaceAll("FOLDER", path());
    writeFileSync(path(".config/herd/config.yaml"), yaml, { mode: 0o600 });
  }
  const all: LiveProcess[] = [];

  const homes: Home[] = [];

  function start(...args: string[]): LiveProcess {
    return startIn(home.env, ...args);
  }

  function startIn(env: Home["env"], ...args: string[]): LiveProcess {
    const child = spawn(HERD, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text) => output += text);
    }
    const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
    const process = { child, output: () => output, ended };
    all.push(process);
    return process;
  }

  const pool: LivePool = {
    home,
    path,
    async daemon() {
      const one = start("pool", "start");
      await pool.until("the pool answers", async () => {
        const { stdout } = await pool.run("pool", "--json");
        return stdout !== "" && JSON.parse(stdout).running === true;
      });
      return one;
    },
    worker: (...args) => start("worker", ...args),
    async elsewhere(name, ...args) {
      const own = makeHome({ NO_COLOR: "1" });
      homes.push(own);
      const { stdout, stderr } = await pool.run("pool", "enrol", name, "--json");
      if (stdout === "") throw new Error(stderr);
      const { port } = JSON.parse(readFileSync(pool.path(stateOf(home), "daemon.json"), "utf8"));
      const { code } = JSON.parse(stdout);
      const address = `http://127.0.0.1:${port}`;
      return startIn(own.env, "worker", "--code", code, "--address", address, ...args);
    },
    audit() {
      const text = readFileSync(pool.path(stateOf(home), "pool/audit.jsonl"), "utf8");
      return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
    },
    run: (...args) => herd(args, { env: home.env }),
    async task(id) {
      const { stdout } = await pool.run("task", "show", id, "--json");
      return JSON.parse(stdout);
    },
    async tasks() {
      const { stdout } = await pool.run("task", "list", "--limit", "1000", "--json");
      return JSON.parse(stdout).items;
    },
    events() {
      const { stdout } = { stdout: readFileSync(pool.path(journalOf(home)), "utf8") };
      return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
    },
    async until(what, holds, ms = 60_000) {
      const end = Date.now() + ms;
      while (!await holds()) {
        if (Date.now() > end) {
          const said = all.map((one) => one.output()).join("\n--\n");
          throw new Error(`Waited ${ms} ms until ${what}\n${said}`);
        }
        await new Promise((next) => setTimeout(next, 50));
      }
    },
  };
  t.after(async () => {
    for (const { child } of all) {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    }
    const patience = new Promise((resolve) => setTimeout(resolve, 10_000).unref());
    await Promise.race([Promise.all(all.map(({ ended }) => ended)), patience]);
    for (const { child } of all) {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    }
    home.remove();
    for (const one of homes) one.remove();
  });
  return pool;
}

/** Relative to the home. */
function journalOf(home: Home): string {
  return join(stateOf(home), "pool/journal.jsonl");
}

function stateOf(home: Home): string {
  const state = home.env["XDG_STATE_HOME"]!.slice(home.env["HOME"]!.length + 1);
  return join(state, "herd", hostFolder());
}

function hostFolder(): string {
  const name = readFileSync("/proc/sys/kernel/hostname", "utf8").trim();
  return name.replaceAll(/[^A-Za-z0-9._-]/g, "_").replace(/^\.+/, "_") || "localhost";
}
