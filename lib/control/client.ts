import { randomUUID } from "node:crypto";
import type { InfoDocument } from "../actions/desk.ts";
import type { Action, Perform } from "../actions/perform.ts";
import { followEvents } from "./client-events.ts";
import type { Door, Following } from "./client-events.ts";
import { bytesOf, exchange, textOf } from "./exchange.ts";
import type { Address } from "./exchange.ts";
import { errorFrom, isFailureDocument } from "./failure.ts";
import type { Frame } from "./sse-text.ts";
import type { HoldRequest } from "./station.ts";
import { decodeWire, encodeWire } from "./wire.ts";

export interface ControlClientParts {
  address: Address;
  token: string;
  /** Finds the daemon anew, for one that becomes another version; undefined while there is none. */
  renew?: (() => Promise<{ address: Address; token: string } | undefined>) | undefined;
  /** As whom the journal names what is done: `cli:alice`. */
  way?: "cli" | "api" | "mcp" | "page";
  timeoutMs?: number;
  /** An action may wait for the scheduler, and for another action before it. */
  performTimeoutMs?: number;
}

export interface Answer {
  status: number;
  type: string;
  text: string;
}

/** A daemon as another process of the same user sees it. */
export interface ControlClient {
  readonly address: Address;
  /** Any answer, failures too. `body` is JSON text. */
  send(
    method: string,
    path: string,
    body?: string,
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<Answer>;
  /** The document of an answer; a failure is thrown as the error that it tells of. */
  request<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<T>;
  /** The bytes of an answer; a failure is thrown as the error that it tells of. */
  bytes(path: string, options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /** Hears a stream until it ends or is aborted; goes on by itself behind what it heard last. */
  events(
    path: string,
    following: Following,
    onEvent: (frame: Frame) => void | Promise<void>,
  ): Promise<void>;
  /** `perform` of a sweep that the daemon holds. */
  perform(id: string, signal?: AbortSignal): Perform;
  hold(request: HoldRequest): Promise<InfoDocument>;
  release(id: string): Promise<void>;
  shutdown(reason: string): Promise<void>;
  sweeps(): Promise<readonly InfoDocument[]>;
  /** Stored when this resolves; the same id is heard once. False: it was heard before. */
  say(id: string, message: { text: string; name?: string; id?: string }): Promise<boolean>;
}

const TIMEOUT_MS = 30_000;
/** A file through a slow tunnel. */
const BYTES_TIMEOUT_MS = 10 * 60_000;
const PERFORM_TIMEOUT_MS = 10 * 60_000;

export function createControlClient(parts: ControlClientParts): ControlClient {
  const doorOf = ({ address, token }: Pick<ControlClientParts, "address" | "token">): Door => ({
    address,
    headers: { authorization: `Bearer ${token}`, "x-herd-way": parts.way ?? "cli" },
  });
  let door = doorOf(parts);

  async function renewedDoor(): Promise<Door> {
    const found = await parts.renew?.();
    if (found !== undefined) door = doorOf(found);
    return door;
  }

  const send: ControlClient["send"] = async (method, path, body, options = {}) => {
    const timeoutMs = options.timeoutMs ?? parts.timeoutMs ?? TIMEOUT_MS;
    const { signal } = options;
    const answer = await exchange(door.address, {
      ...{ method, path, headers: door.headers, body, timeoutMs, signal },
    });
    const text = await textOf(answer, timeoutMs);
    return { status: answer.statusCode ?? 0, type: answer.headers["content-type"] ?? "", text };
  };

  const request: ControlClient["request"] = async <T>(
    method: string,
    path: string,
    body?: unknown,
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return documentOf(await send(method, path, text, options)) as T;
  };

  const sweepPath = (id: string) => `/v1/sweeps/${encodeURIComponent(id)}`;

  return {
    get address() {
      return door.address;
    },
    send,
    request,
    async bytes(path, options = {}) {
      const timeoutMs = parts.timeoutMs ?? TIMEOUT_MS;
      const answer = await exchange(door.address, {
        method: "GET",
        path,
        headers: door.headers,
        timeoutMs,
        ...options,
      });
      if (answer.statusCode === 200) return await bytesOf(answer, BYTES_TIMEOUT_MS);
      const text = await textOf(answer, timeoutMs);
      documentOf({ status: answer.statusCode ?? 0, type: "", text });
      throw new Error(`The daemon answered ${answer.statusCode}`);
    },
    events: (path, following, onEvent) =>
      followEvents({
        ...{ path, ...following },
        door: (isAgain) => isAgain ? renewedDoor() : Promise.resolve(door),
      }, onEvent),
    perform: (id, signal) => {
      const perform = async (action: Action): Promise<unknown> => {
        const timeoutMs = parts.performTimeoutMs ?? PERFORM_TIMEOUT_MS;
        const options = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
        const body = { action: encodeWire(action) };
        const { result } = await request<{ result: unknown }>(
          "POST",
          `${sweepPath(id)}/perform`,
          body,
          options,
        );
        return decodeWire(result);
      };
      return perform as Perform;
    },
    hold: (wanted) =>
      request<InfoDocument>("POST", "/v1/sweeps", wanted, { timeoutMs: PERFORM_TIMEOUT_MS }),
    release: async (id) => {
      await request("DELETE", sweepPath(id), undefined, { timeoutMs: PERFORM_TIMEOUT_MS });
    },
    shutdown: async (reason) => {
      await request("POST", "/v1/shutdown", { reason });
    },
    sweeps: async () => (await request<{ items: InfoDocument[] }>("GET", "/v1/sweeps")).items,
    say: async (id, message) => {
      const body = { id: randomUUID(), ...message };
      return (await request<{ heard: boolean }>("POST", `${sweepPath(id)}/messages`, body)).heard;
    },
  };
}

/** Throws what the daemon threw. */
export function documentOf({ status, text }: Answer): unknown {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Error(`The daemon answered ${status} without JSON`);
  }
  if (status >= 200 && status < 300) return document;
  if (isFailureDocument(document)) throw errorFrom(document);
  throw new Error(`The daemon answered ${status}`);
}
