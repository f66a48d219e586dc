import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { makeHome, untilTrue } from "./daemon.ts";
import type { Home } from "./daemon.ts";
import { herd, makeSweep } from "./herd.ts";
import type { Said } from "./herd.ts";

interface Test {
  after(act: () => unknown): void;
}

export type Sweep = ReturnType<typeof makeSweep>;

/** A home with its sweeps; at the end nothing of it may be left. */
export interface DaemonScene {
  home: Home;
  /** Where the daemon of this home keeps its state. */
  place: string;
  run(...words: string[]): Promise<Said>;
  sweep(options?: SweepOptions): Sweep;
  /** As `daemon.json` says it; undefined when none is written. */
  pid(): number | undefined;
}

export interface SweepOptions {
  name?: string;
  trials?: number;
  slots?: number;
  launcher?: string;
  more?: string;
  /** The interview is left to be asked, and until then nothing is submitted. */
  asks?: boolean;
}

/** Waits for a file `go` in the workspace. */
export const PATIENT = `#!/bin/bash
echo "epoch 1 loss=0.5"
until [ -e go ]; do sleep 0.05; done
`;

export function sweepYaml(
  { name = "one", trials = 2, slots = 2, more = "", asks = false }: SweepOptions = {},
): string {
  const known = `remediation: {mode: notify}
monitor: {objective: none, rollout: [rest]}`;
  return `name: ${name}
launcher: ./launch.sh
scheduler: local
local: {slots: ${slots}}
grid: all
slurm: {partition: none, time: 5, mem: 50M}
${asks ? "" : known}
${more}
parameters:
  x: {type: discrete, values: [${Array.from({ length: trials }, (_, i) => i).join(", ")}]}
`;
}

/** `more` goes into the environment of every command. */
export function daemonScene(t: Test, more: Record<string, string> = {}): DaemonScene {
  const home = makeHome({ NO_COLOR: "1", HERD_TEST_HOOKS: "1", ...more });
  const sweeps: Sweep[] = [];
  const place = join(home.env["XDG_STATE_HOME"]!, "herd", hostname());
  const run = (...words: string[]) => herd(words, { env: home.env });
  t.after(async () => {
    try {
      await run("monitor", "--stop");
      for (const { path, write } of sweeps) {
        if (!existsSync(join(path, "hyperherd.yaml"))) continue;
        write("go", "");
        // Also ends the supervisor of the local scheduler.
        await run("clean", path, "--all", "--yes");
      }
      await assertNothingLeft(home, place);
    } finally {
      for (const pid of processesOf(home)) process.kill(pid, "SIGKILL");
      for (const sweep of sweeps) sweep.remove();
      home.remove();
    }
  });
  return {
    home,
    place,
    run,
    sweep(options = {}) {
      const files = { yaml: sweepYaml(options), launcher: options.launcher ?? PATIENT };
      const sweep = makeSweep(files, "herd-daemon-");
      sweeps.push(sweep);
      return sweep;
    },
    pid: () => pidIn(place),
  };
}

function pidIn(place: string): number | undefined {
  const path = join(place, "daemon.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).pid : undefined;
}

async function assertNothingLeft(home: Home, place: string): Promise<void> {
  await untilTrue(
    "no process is left",
    () => processesOf(home).length === 0,
    () => processesOf(home).map((pid) => commandLine(pid)).join("\n"),
    30_000,
  );
  assert.equal(existsSync(join(place, "daemon.json")), false, "daemon.json is left");
  const sockets = join(home.env["XDG_RUNTIME_DIR"]!, "herd");
  assert.deepEqual(existsSync(sockets) ? readdirSync(sockets) : [], [], "a socket is left");
  assert.equal(leaseIn(join(place, "lease"))?.["released"] ?? true, true, "a lease is left");
}

/** Whatever was started with this home in its environment, trials excepted: theirs is a clean one. */
function processesOf({ env }: Home): number[] {
  const mark = `XDG_STATE_HOME=${env["XDG_STATE_HOME"]}`;
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(mark);
    } catch {
      return false;
    }
  });
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** What the newest file of a lease says; undefined when there never was one. */
export function leaseIn(folder: string): Record<string, unknown> | undefined {
  if (!existsSync(folder)) return undefined;
  const newest = readdirSync(folder).filter((name) => /^lease\.\d+$/.test(name))
    .sort((a, b) => Number(b.slice(6)) - Number(a.slice(6)))[0];
  return newest === undefined ? undefined : JSON.parse(readFileSync(join(folder, newest), "utf8"));
}

export function controlOf(path: string): Record<string, unknown> | undefined {
  const file = join(path, ".hyperherd/control.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** The ids of the sweeps that the daemon holds. */
export async function heldIds({ run }: DaemonScene): Promise<string[]> {
  const said = await run("api", "sweeps");
  if (said.code !== 0) return [];
  return JSON.parse(said.stdout).items.map(({ id }: { id: string }) => id).sort();
}
