import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A line to a port of this machine that can be slow, silent or cut. */
export interface TroubledProxy extends AsyncDisposable {
  port: number;
  /** Connections made so far. */
  connections: number;
  /** Connections that stand now. */
  readonly open: number;
  /** Bytes towards the target, and back. */
  sent: number;
  received: number;
  /** How often something was sent after an answer: trips there and back that waited for each other. */
  turns: number;
  /** Cuts all connections without a good-bye; new ones are let in. */
  cut(): void;
  /** From now on nothing comes through, and nobody is told, as when a lid is closed. */
  freeze(): void;
  thaw(): void;
  /** Refuses new connections. */
  refuse(on: boolean): void;
  /** Each piece is so late. Milliseconds. */
  delayMs: number;
  /** What comes back within this comes as one piece. Milliseconds. */
  gatherMs: number;
  /** Cuts after so many bytes towards the target, once. */
  cutAfter: number | undefined;
}

export async function startTroubledProxy(target: number): Promise<TroubledProxy> {
  const pairs = new Set<{ near: Socket; far: Socket }>();
  const held: (() => void)[] = [];
  let frozen = false;
  let refusing = false;
  const server = createServer((near) => {
    if (refusing) return void near.resetAndDestroy();
    proxy.connections++;
    const far = connect(target, "127.0.0.1");
    const pair = { near, far };
    const gathered: Uint8Array[] = [];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", () => frozen ? held.push(end) : end());
    }
    let isAnswered = true;
    near.on("data", (bytes) => {
      proxy.sent += bytes.length;
      if (isAnswered) proxy.turns++;
      isAnswered = false;
      if (proxy.cutAfter !== undefined && proxy.sent >= proxy.cutAfter) {
        proxy.cutAfter = undefined;
        return proxy.cut();
      }
      pass(() => far.write(bytes));
    });
    far.on("data", (bytes) => {
      proxy.received += bytes.length;
      isAnswered = true;
      if (proxy.gatherMs === 0) return pass(() => near.write(bytes));
      if (gathered.push(bytes) > 1) return;
      setTimeout(() => {
        const all = Buffer.concat(gathered.splice(0));
        pass(() => near.write(all));
      }, proxy.gatherMs);
    });
  });
  function pass(write: () => void): void {
    if (frozen) held.push(write);
    else if (proxy.delayMs > 0) {
      setTimeout(() => frozen ? held.push(write) : write(), proxy.delayMs);
    } else write();
  }
  const proxy: TroubledProxy = {
    port: 0,
    connections: 0,
    get open() {
      return pairs.size;
    },
    sent: 0,
    received: 0,
    turns: 0,
    delayMs: 0,
    gatherMs: 0,
    cutAfter: undefined,
    cut() {
      for (const { near, far } of pairs) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
      pairs.clear();
    },
    freeze: () => void (frozen = true),
    thaw() {
      frozen = false;
      for (const write of held.splice(0)) write();
    },
    refuse: (on) => void (refusing = on),
    async [Symbol.asyncDispose]() {
      this.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy.port = (server.address() as AddressInfo).port;
  return proxy;
}
