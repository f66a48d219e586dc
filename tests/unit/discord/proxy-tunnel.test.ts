import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { WebSocketServer } from "ws";
import type { GatewaySocket } from "../../../lib/discord/open-socket.ts";
import { startConnectProxy } from "../../support/connect-proxy.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PROBE = join(ROOT, "tests/support/discord-link-probe.ts");
const BUN = join(ROOT, "node_modules/bun/bin/bun.exe");
const run = promisify(execFile);
const noOpenssl = spawnSync("openssl", ["version"]).status === 0
  ? false
  : "openssl is not there, so no certificate can be made";

/** An authority of its own, and a server's certificate by it. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...words: string[]) => run("openssl", words, { cwd: folder, timeout: 20_000 });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca");
  await openssl("req", ...key, "-keyout", "key.pem", "-out", "leaf.csr", "-subj", "/CN=leaf");
  writeFileSync(
    join(folder, "ext"),
    "subjectAltName=DNS:*.discord.test\nbasicConstraints=CA:FALSE",
  );
  const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext"];
  await openssl("x509", "-req", "-in", "leaf.csr", ...by, "-out", "cert.pem", "-days", "2");
}

/** Gateway and REST in one, encrypted, for a name that only the proxy knows. */
async function startSecureDiscord(folder: string) {
  const server = createServer({
    key: readFileSync(join(folder, "key.pem")),
    cert: readFileSync(join(folder, "cert.pem")),
  }, (request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json");
    const starts = { remaining: 9, reset_after: 0 };
    response.end(JSON.stringify(
      request.url?.includes("gateway")
        ? { url: `wss://gateway.discord.test:${port}`, session_start_limit: starts }
        : { id: "55", channel_id: "9", author: { id: "1", username: "d" } },
    ));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket: GatewaySocket) => {
    const send = (packet: unknown) => socket.send(JSON.stringify(packet));
    send({ op: 10, d: { heartbeat_interval: 41_250 }, s: null, t: null });
    socket.on("message", () => {
      const user = { id: "7", username: "d" };
      send({ op: 0, t: "READY", s: 1, d: { user, session_id: "s", guilds: [] } });
      const words = { id: "1", channel_id: "9", content: "hello", author: user };
      send({ op: 0, t: "MESSAGE_CREATE", s: 2, d: words });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

for (const runtime of ["Deno", "compiled Bun"]) {
  test(`in ${runtime}, gateway and REST go through HTTPS_PROXY, encrypted from end to end`, {
    skip: noOpenssl,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "herd-proxy-"));
    try {
      await makeCertificates(folder);
      await using discord = await startSecureDiscord(folder);
      await using proxy = await startConnectProxy();
      const program = join(folder, "probe");
      if (runtime !== "Deno") {
        const words = ["build", "--compile", PROBE, "--outfile", program];
        await run(BUN, words, { cwd: ROOT, timeout: 60_000 });
      }
      const { stdout } = await run(
        runtime === "Deno" ? process.execPath : program,
        runtime === "Deno" ? ["run", "-A", "--no-check", PROBE] : [],
        {
          cwd: ROOT,
          timeout: 30_000,
          env: {
            PATH: process.env["PATH"],
            HOME: process.env["HOME"],
            DENO_CERT: join(folder, "ca.pem"),
            NODE_EXTRA_CA_CERTS: join(folder, "ca.pem"),
            PROBE_API: `https://api.discord.test:${discord.port}/api`,
            HTTPS_PROXY: `http://ada:pa%3Ass@127.0.0.1:${proxy.port}`,
            NO_PROXY: "localhost",
          },
        },
      );
      assert.equal(stdout, "heard hello\nsent 55\nclosed\n");
      const names = new Set(proxy.seen.map(({ authority }) => authority));
      assert.ok(names.has(`api.discord.test:${discord.port}`));
      assert.ok(names.has(`gateway.discord.test:${discord.port}`));
      for (const { authorization } of proxy.seen) {
        assert.equal(authorization, `Basic ${btoa("ada:pa:ss")}`);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
