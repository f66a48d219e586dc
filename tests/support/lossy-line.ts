import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("lossy-line.py", import.meta.url));

/** Two ends, each a network of its own, and a line between them that is slow and loses packets. */
export interface LossyLine extends AsyncDisposable {
  /** Before a command: it runs at this end. */
  near: readonly string[];
  far: readonly string[];
  /** Of the far end, as the near one reaches it. */
  address: string;
}

export interface LossyOptions {
  /** For each packet, in each direction. */
  delayMs: number;
  /** Share of packets, from 0 to 1. */
  loss: number;
  seed: number;
}

/** Why there can be no such line here, or false. */
export function withoutLossyLine(): string | false {
  const tried = spawnSync("unshare", [
    "--net",
    "sh",
    "-c",
    "ip link set lo up && : <>/dev/net/tun",
  ]);
  return tried.status === 0
    ? false
    : "a network namespace with /dev/net/tun is not permitted here (it takes root)";
}

export async function openLossyLine({ delayMs, loss, seed }: LossyOptions): Promise<LossyLine> {
  const child = spawn("python3", [SCRIPT, `${delayMs}`, `${loss}`, `${seed}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const first = await Promise.race([
    new Promise<string>((resolve) => child.stdout.once("data", (bytes) => resolve(`${bytes}`))),
    ended.then(() => {
      throw new Error("The line between two namespaces was not made");
    }),
  ]);
  const { near, far } = JSON.parse(first) as { near: number; far: number };
  const within = (pid: number) => ["nsenter", `--net=/proc/${pid}/ns/net`];
  return {
    near: within(near),
    far: within(far),
    address: "10.77.0.1",
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
