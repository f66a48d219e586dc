import { connect, createServer } from "node:net";
import { dirname } from "node:path";
import { spawnInherited } from "../base/inherited-child.ts";
import type { AttemptRelay } from "./attempt-spec.ts";
import { fileOfProgram } from "./program-file.ts";
import type { WrapSandbox } from "./wrap-sandbox.ts";

/** Within a network of its own every port is free. */
export const RELAY_PORT = 8675;

/**
 * Programs without network find their model's relay on the loopback of their own, empty network: herd
 * itself goes in with them and opens that one door, to one Unix socket.
 */
export function withRelayDoor(wrap: WrapSandbox, relay: AttemptRelay): WrapSandbox {
  const { socket, port, herd } = relay;
  return (argv, wish) => {
    const { level, network } = wish.sandbox;
    if (level === "none" || network) return wrap(argv, wish);
    const [program = "", ...more] = herd;
    const own = fileOfProgram(program);
    const words = [own, ...more, "relay-door", socket, `${port}`, "--", ...argv];
    return wrap(words, { ...wish, reads: [...wish.reads ?? [], own, dirname(socket)] });
  };
}

/** Opens the door and runs the program behind it. Resolves to its exit code. */
export async function runBehindDoor(
  { socket, port, argv, env }: {
    socket: string;
    port: number;
    argv: readonly string[];
    env: Readonly<Record<string, string>>;
  },
): Promise<number> {
  const server = createServer((inside) => {
    const outside = connect({ path: socket });
    for (const one of [inside, outside]) {
      one.on("error", () => {
        inside.destroy();
        outside.destroy();
      });
    }
    inside.pipe(outside).pipe(inside);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port }, () => resolve());
  });
  const child = spawnInherited(argv, { env });
  const pass = () => child.kill("SIGTERM");
  process.on("SIGTERM", pass);
  const { exitCode, signal } = await child.exited;
  process.removeListener("SIGTERM", pass);
  server.close();
  return signal === undefined ? exitCode ?? 1 : 143;
}
