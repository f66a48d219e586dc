import { randomBytes } from "node:crypto";
import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { bootId, processStart } from "../base/pid.ts";

/** Who holds a workspace; the content of the lease file. */
export interface Holder {
  host: string;
  pid: number;
  boot: string;
  /** Start of the process, as `processStart` tells it. */
  start: string;
  /** Namespace of pids: inside another one, the same pid is another process. */
  space: string;
  /** What for, such as `herd run`. */
  purpose: string;
  /** Milliseconds since the epoch on the holder's clock: since when. */
  at: number;
  nonce: string;
  /** Counts the refreshes, so that the content changes. */
  beat: number;
  released?: boolean;
}

/** This process, about to hold a lease. `at` is milliseconds since the epoch. */
export function thisHolder(purpose: string, at: number): Holder {
  return {
    host: hostname(),
    pid: process.pid,
    boot: bootId(),
    start: processStart(process.pid) ?? "unknown",
    space: pidSpace(),
    purpose,
    at,
    nonce: randomBytes(8).toString("hex"),
    beat: 0,
  };
}

/** "herd run" (process 4711 on login1, since 2025-01-31T12:00:00Z) */
export function describeHolder(holder: Holder): string {
  const since = Number.isFinite(holder.at)
    ? `, since ${new Date(holder.at).toISOString().slice(0, 19)}Z`
    : "";
  return `"${holder.purpose}" (process ${holder.pid} on ${holder.host}${since})`;
}

/** Whether the holder's process lives; "cannot-tell" where it is not for us to see. */
export function lifeOf(holder: Holder): "alive" | "gone" | "cannot-tell" {
  if (holder.host !== hostname()) return "cannot-tell";
  const boot = bootId();
  if (boot === "unknown" || processStart(process.pid) === undefined) return "cannot-tell";
  if (holder.boot !== boot) return "gone";
  if (holder.space !== pidSpace()) return "cannot-tell";
  return processStart(holder.pid) === holder.start ? "alive" : "gone";
}

/** Undefined for content that is empty, torn or no holder. */
export function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    const whole = typeof value?.host === "string" && typeof value.pid === "number" &&
      typeof value.nonce === "string";
    return whole
      ? { boot: "", start: "", space: "", purpose: "herd", at: NaN, beat: 0, ...value } as Holder
      : undefined;
  } catch {
    return undefined;
  }
}

/** Stands for the holder of a lease that cannot be read (yet). */
export function nobodyKnown(): Holder {
  return {
    host: "an unknown host",
    pid: 0,
    boot: "",
    start: "",
    space: "",
    purpose: "an unreadable lease",
    at: NaN,
    nonce: "",
    beat: 0,
  };
}

function pidSpace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}
