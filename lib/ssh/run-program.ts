import type { Readable } from "node:stream";
import type { Ended } from "../base/process.ts";
import type { SshRunOptions } from "./ssh-host.ts";
import type { Program } from "./start-program.ts";

/** Where a program that has been started is waited for. */
export interface Waiting {
  /** Over with the time limit. */
  timeout: AbortSignal;
  kill(program: Program, signal: "TERM" | "KILL"): void;
}

export type ProgramEnd = Pick<
  Ended,
  "exitCode" | "signal" | "stdout" | "stderr" | "timedOut" | "canceled" | "lost"
>;

/** Feeds a program and keeps what it prints, to its end. Never rejects. */
export async function runProgram(
  program: Program,
  { input, signal, maxBytes = 256 * 1024 * 1024 }: SshRunOptions,
  { timeout, kill }: Waiting,
): Promise<ProgramEnd> {
  const { channel } = program;
  const stdout = collect(channel, maxBytes);
  const stderr = collect(channel.stderr, maxBytes);
  if (input === undefined) channel.end();
  else channel.end(Buffer.from(input as string));
  let canceled = false;
  const cancel = () => {
    canceled = true;
    kill(program, "TERM");
  };
  signal?.addEventListener("abort", cancel, { once: true });
  if (signal?.aborted) cancel();
  const late = new Promise<undefined>((resolve) => {
    if (timeout.aborted) resolve(undefined);
    timeout.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  const end = await Promise.race([program.ended, late]);
  signal?.removeEventListener("abort", cancel);
  if (end === undefined) kill(program, "KILL");
  const lost = end?.lost;
  return {
    exitCode: end?.exitCode,
    signal: end === undefined ? "SIGKILL" : end.signal,
    stdout: stdout(),
    stderr: stderr(),
    timedOut: end === undefined,
    canceled,
    ...(lost === undefined ? {} : { lost: `${lost}; nobody knows whether it ran to its end` }),
  };
}

function collect(stream: Readable, maxBytes: number): () => string {
  const kept: Uint8Array[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Uint8Array) => {
    bytes += chunk.byteLength;
    if (bytes <= maxBytes) kept.push(chunk);
  });
  return () => new TextDecoder().decode(Buffer.concat(kept));
}
