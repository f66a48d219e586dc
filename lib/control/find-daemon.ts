import { randomBytes } from "node:crypto";
import { readDaemonRecord } from "./daemon-record.ts";
import type { DaemonRecord } from "./daemon-record.ts";
import { exchange, textOf } from "./exchange.ts";
import type { Address } from "./exchange.ts";
import { isProof } from "./proof.ts";
import { readToken } from "./user-place.ts";
import type { UserPlace } from "./user-place.ts";

export interface FoundDaemon {
  record: DaemonRecord;
  address: Address;
  token: string;
}

const ANSWER_WITHIN_MS = 3000;

/**
 * The daemon of this user on this host, when it answers and proves that it knows
 * the token. Asked first at its socket, then at its port: a socket in
 * XDG_RUNTIME_DIR goes when the user logs out, and a port may be another's since.
 */
export async function findDaemon(
  place: UserPlace,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<FoundDaemon | undefined> {
  const record = readDaemonRecord(place);
  const token = readToken(place);
  if (record === undefined || token === undefined) return undefined;
  const { timeoutMs = ANSWER_WITHIN_MS, signal } = options;
  for (const address of [{ socketPath: record.socketPath }, { port: record.port }]) {
    if (await proves(address, token, timeoutMs, signal)) return { record, address, token };
  }
  return undefined;
}

async function proves(
  address: Address,
  token: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const challenge = randomBytes(16).toString("hex");
  const path = `/healthz?challenge=${challenge}`;
  try {
    const answer = await exchange(address, { method: "GET", path, timeoutMs, signal });
    const text = await textOf(answer, timeoutMs);
    const { proof } = JSON.parse(text) as { proof?: unknown };
    return answer.statusCode === 200 && isProof(proof, token, challenge);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Error) return false;
    throw error;
  }
}
