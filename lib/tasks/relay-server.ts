import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LONGEST_ASK } from "./relay-files.ts";
import type { RelayAsk, RelayEnd } from "./relay-files.ts";
import type { RelayLink } from "./relay-link.ts";

/** A model's API on the loopback of a machine without internet, for the attempts of one worker. */
export interface RelayServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** The same at a Unix socket, for what has no network of this machine; in a folder of its own. */
  readonly socket: string;
  /** An attempt that may ask from now on. */
  admit(attempt: RelayedAttempt): RelayTicket;
}

export interface RelayedAttempt {
  task: string;
  epoch: number;
  /** After each call. */
  onUse(use: NonNullable<RelayEnd["use"]>): void;
}

/** Disposing ends the attempt's calls, and its token is nobody's. */
export interface RelayTicket extends Disposable {
  /** Whoever shows it may ask; nobody else on the machine. */
  readonly token: string;
}

interface Admitted extends RelayedAttempt {
  token: Buffer;
  over: AbortController;
  open: number;
}

const MOST_OPEN = 8;
const PATH = /^\/v1\/[a-z_/]{1,60}(\?beta=true)?$/;
const BETA = /^[A-Za-z0-9,_ -]{1,500}$/;

export async function startRelayServer({ link }: { link: RelayLink }): Promise<RelayServer> {
  const admitted = new Set<Admitted>();
  const running = new Set<Promise<void>>();
  const answer = (req: IncomingMessage, res: ServerResponse) => {
    // Whoever is gone needs no answer.
    res.on("error", () => {});
    const one = handle(req, res).catch(() => void res.destroy())
      .finally(() => running.delete(one));
    running.add(one);
  };

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const attempt = [...admitted].find(({ token }) => isTold(req, token));
    if (attempt === undefined) return refuse(res, 401, "The relay's token is missing or wrong");
    if (req.method !== "POST") return refuse(res, 405, "Only POST is possible here");
    if (!PATH.test(req.url ?? "")) return refuse(res, 404, "The relay has no such address");
    if (attempt.open >= MOST_OPEN) return refuse(res, 429, `More than ${MOST_OPEN} calls at once`);
    attempt.open++;
    try {
      const body = await bodyOf(req);
      if (body === undefined) {
        return refuse(res, 413, `A request has at most ${LONGEST_ASK} bytes`);
      }
      const beta = req.headers["anthropic-beta"];
      const told = typeof beta === "string" && BETA.test(beta) ? beta : undefined;
      const { task, epoch } = attempt;
      const path = (req.url ?? "").split("?")[0]!;
      await passOn(attempt, res, { task, epoch, path, beta: told, body });
    } finally {
      attempt.open--;
    }
  }

  async function passOn(
    { over, onUse }: Admitted,
    res: ServerResponse,
    ask: RelayAsk,
  ): Promise<void> {
    const gone = new AbortController();
    const stop = () => gone.abort();
    res.on("close", stop);
    over.signal.addEventListener("abort", stop, { once: true });
    if (over.signal.aborted) stop();
    try {
      for await (const frame of link.ask(ask, gone.signal)) {
        if ("head" in frame) {
          const { status, type, retryAfter } = frame.head;
          res.writeHead(status, {
            "content-type": type,
            ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
          });
          res.flushHeaders();
        } else if ("data" in frame) res.write(Buffer.from(frame.data, "base64"));
        else if ("end" in frame) {
          if (frame.end.use !== undefined) onUse(frame.end.use);
          res.end();
        } else if ("broken" in frame) {
          if (res.headersSent) res.destroy();
          else refuse(res, 503, frame.broken);
        }
      }
    } catch (error) {
      if (gone.signal.aborted || res.headersSent) res.destroy();
      else refuse(res, 503, `The relay cannot be used: ${(error as Error).message.slice(0, 200)}`);
    } finally {
      res.off("close", stop);
      over.signal.removeEventListener("abort", stop);
    }
  }

  const server = await listen(createServer(answer), { host: "127.0.0.1", port: 0 });
  const folder = mkdtempSync(join(tmpdir(), "herd-relay-"));
  const socket = join(folder, "s");
  const second = await listen(createServer(answer), { path: socket });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    socket,
    admit(attempt) {
      const token = randomBytes(24).toString("base64url");
      const over = new AbortController();
      const one = { ...attempt, token: Buffer.from(token), over, open: 0 };
      admitted.add(one);
      return {
        token,
        [Symbol.dispose]() {
          admitted.delete(one);
          over.abort();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const { over } of admitted) over.abort();
      for (const one of [server, second]) {
        one.close();
        one.closeAllConnections();
      }
      await Promise.allSettled(running);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listen(server: Server, at: { host: string; port: number } | { path: string }) {
  return new Promise<Server>((resolve, reject) => {
    server.once("error", reject);
    server.listen(at, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
}

function isTold({ headers }: IncomingMessage, wanted: Buffer): boolean {
  const bearer = headers.authorization?.replace(/^Bearer /i, "");
  const key = headers["x-api-key"];
  return [bearer, typeof key === "string" ? key : undefined].some((told) => {
    const given = Buffer.from(told ?? "");
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

/** Undefined when it is too long. */
async function bodyOf(req: IncomingMessage): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of req as AsyncIterable<Uint8Array>) {
    bytes += piece.byteLength;
    if (bytes > LONGEST_ASK) return undefined;
    pieces.push(piece);
  }
  return new TextDecoder().decode(Buffer.concat(pieces));
}

/** As both kinds of API tell an error. */
function refuse(res: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify({ type: "error", error: { type: "relay_error", message } });
  res.writeHead(status, { "content-type": "application/json", connection: "close" });
  res.end(body);
}
