import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** A small HTTP proxy that knows CONNECT, and leads every name to this machine. */
export interface ConnectProxy extends AsyncDisposable {
  port: number;
  /** `HOST:PORT` of each CONNECT, with the Proxy-Authorization it had. */
  seen: { authority: string; authorization: string | undefined }[];
}

export async function startConnectProxy(
  { refuse }: { refuse?: number } = {},
): Promise<ConnectProxy> {
  const seen: ConnectProxy["seen"] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_, response) => response.writeHead(501).end());
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  server.on("connect", (request, client, head) => {
    seen.push({
      authority: request.url ?? "",
      authorization: request.headers["proxy-authorization"],
    });
    if (refuse !== undefined) {
      return void client.end(`HTTP/1.1 ${refuse} No\r\ncontent-length: 0\r\n\r\n`);
    }
    const port = Number(request.url?.split(":").at(-1));
    const onward = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.write(head);
      onward.pipe(client);
      client.pipe(onward);
    });
    sockets.add(onward);
    onward.on("error", () => client.destroy());
    onward.on("close", () => {
      sockets.delete(onward);
      client.destroy();
    });
    client.on("close", () => onward.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
