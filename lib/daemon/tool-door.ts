import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createMcpServer, type McpServer } from "../agent/mcp-server.ts";
import type { Tool } from "../agent/tool.ts";
import { currentBuild } from "../base/build.ts";
import { clearSocket } from "../control/unix-socket.ts";

/** Where agents' programs reach herd's tools: a Unix socket and the loopback, for whoever has a token. */
export interface ToolDoor extends AsyncDisposable {
  readonly socket: string;
  /** On 127.0.0.1: a program that may open no Unix sockets comes this way. */
  readonly port: number;
  admit(tools: readonly Tool[]): ToolTicket;
}

/** Disposing ends its connections, and its token is nobody's. */
export interface ToolTicket extends Disposable {
  readonly token: string;
}

interface Admitted {
  digest: Uint8Array;
  server: McpServer;
  over: AbortController;
  open: number;
}

/** The first line of a connection. Bytes. */
const LONGEST_HELLO = 1_024;
const HELLO_MS = 10_000;
const MOST_OPEN = 8;

export async function openToolDoor(
  { socket, onProblem }: { socket: string; onProblem(message: string): void },
): Promise<ToolDoor> {
  await clearSocket(socket);
  const admitted = new Set<Admitted>();
  const open = new Set<Socket>();
  const serving = new Set<Promise<void>>();
  const servers = [createServer(meet), createServer(meet)] as const;

  function meet(client: Socket): void {
    open.add(client);
    client.on("error", () => client.destroy()).once("close", () => open.delete(client));
    const one = serve(client).catch((error: unknown) => onProblem(`${error}`)).finally(() => {
      serving.delete(one);
      client.end();
    });
    serving.add(one);
  }

  async function serve(client: Socket): Promise<void> {
    const input = client[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    const timer = setTimeout(() => client.destroy(), HELLO_MS);
    const hello = await firstLine(input).catch(() => undefined);
    clearTimeout(timer);
    const one = hello && [...admitted].find(({ digest }) => isSame(digest, digestOf(hello.line)));
    if (hello === undefined || one === undefined || one.open >= MOST_OPEN) return;
    one.open++;
    try {
      await one.server.serve({
        input: joined(hello.rest, input),
        write: (line) => void (client.writable && client.write(line)),
        signal: one.over.signal,
        onProblem,
      });
    } catch (error) {
      // Who hung up in the middle of something needs no answer.
      if (!client.destroyed) throw error;
    } finally {
      one.open--;
    }
  }

  try {
    await listen(servers[0], { path: socket });
    chmodSync(socket, 0o600);
    await listen(servers[1], { host: "127.0.0.1", port: 0 });
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return {
    socket,
    port: (servers[1].address() as AddressInfo).port,
    admit(tools) {
      const token = randomBytes(32).toString("base64url");
      const { version } = currentBuild();
      const one: Admitted = {
        digest: digestOf(token),
        server: createMcpServer({ tools, name: "herd", version }),
        over: new AbortController(),
        open: 0,
      };
      admitted.add(one);
      return {
        token,
        [Symbol.dispose]() {
          admitted.delete(one);
          one.over.abort();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const { over } of admitted) over.abort();
      admitted.clear();
      const closed = servers.map((server) =>
        new Promise<void>((resolve) => server.close(() => resolve()))
      );
      for (const client of open) client.destroy();
      await Promise.all([...closed, ...serving]);
    },
  };
}

async function firstLine(
  input: AsyncIterator<Uint8Array>,
): Promise<{ line: string; rest: Uint8Array } | undefined> {
  let bytes = new Uint8Array();
  while (bytes.length <= LONGEST_HELLO) {
    const end = bytes.indexOf(10);
    if (end >= 0) {
      return { line: new TextDecoder().decode(bytes.subarray(0, end)), rest: bytes.slice(end + 1) };
    }
    const next = await input.next();
    if (next.done) return undefined;
    bytes = Uint8Array.from([...bytes, ...next.value]);
  }
  return undefined;
}

async function* joined(first: Uint8Array, rest: AsyncIterator<Uint8Array>) {
  if (first.length > 0) yield first;
  for (;;) {
    const next = await rest.next();
    if (next.done) return;
    yield next.value;
  }
}

/** As lengths are the same, nothing is told by how long it takes. */
function digestOf(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return timingSafeEqual(a, b);
}

function listen(server: Server, where: { path: string } | { host: string; port: number }) {
  return new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}
