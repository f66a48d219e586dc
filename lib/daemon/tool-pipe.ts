import { connect, type Socket } from "node:net";
import { UserError } from "../base/errors.ts";

/** How an agent's program is told of the door; the token is for one conversation. */
export const TOOLS_ENV = {
  socket: "HERD_TOOLS_SOCKET",
  port: "HERD_TOOLS_PORT",
  token: "HERD_TOOLS_TOKEN",
} as const;

/** Joins the standard streams of an MCP client with herd's tools, until either side is gone. */
export async function pipeTools(
  { env, input, output }: {
    env: Readonly<Record<string, string | undefined>>;
    input: NodeJS.ReadableStream;
    output: NodeJS.WritableStream;
  },
): Promise<void> {
  const [socket, port, token] = [TOOLS_ENV.socket, TOOLS_ENV.port, TOOLS_ENV.token]
    .map((name) => env[name] ?? "");
  if (!socket || !port || !token) {
    throw new UserError(
      "Cannot reach herd's tools: an agent of the broker starts this, nobody else",
    );
  }
  // Some sandboxes have no Unix sockets, others no loopback.
  const door = await reach({ path: socket }) ??
    await reach({ host: "127.0.0.1", port: Number(port) });
  if (door === undefined) {
    throw new UserError("Cannot reach herd's tools: neither its socket nor its port answers", {
      hint: "herd may have ended, or the agent's sandbox has no connections",
    });
  }
  door.write(`${token}\n`);
  input.pipe(door).pipe(output);
  await new Promise<void>((resolve) => door.once("close", () => resolve()));
}

function reach(where: { path: string } | { host: string; port: number }) {
  return new Promise<Socket | undefined>((resolve) => {
    const socket = connect({ ...where, allowHalfOpen: true });
    socket.once("error", () => resolve(undefined));
    socket.once("connect", () => {
      socket.removeAllListeners("error").on("error", () => socket.destroy());
      socket.once("end", () => socket.destroy());
      resolve(socket);
    });
  });
}
