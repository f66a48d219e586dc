import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { test, type TestContext } from "node:test";
import type { Tool } from "../../../lib/agent/tool.ts";
import { openToolDoor } from "../../../lib/daemon/tool-door.ts";
import { pipeTools, TOOLS_ENV } from "../../../lib/daemon/tool-pipe.ts";

const HELLO = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "t", version: "1" },
  },
};

function tool(name: string): Tool {
  const run = () => Promise.resolve({ text: `${name} ran`, isError: false });
  return { name, description: "", schema: { type: "object" }, acts: false, run };
}

async function doorScene(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "herd-door-"));
  const door = await openToolDoor({ socket: join(folder, "s"), onProblem() {} });
  t.after(async () => {
    await door[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  const clients: Socket[] = [];
  t.after(() => clients.forEach((one) => one.destroy()));
  return {
    door,
    folder,
    /** What is answered to these lines before the door hangs up, or to the first of them. */
    async say(where: { path: string } | { port: number }, lines: readonly string[]) {
      const client = connect(where as { port: number });
      clients.push(client);
      client.on("error", () => {});
      client.write(lines.map((line) => `${line}\n`).join(""));
      return await new Promise<string>((resolve) => {
        client.once("data", (bytes) => resolve(`${bytes}`));
        client.once("close", () => resolve("hung up"));
      });
    },
  };
}

test("whoever has the token of a conversation has its tools, by the socket and by the port", async (t) => {
  const { door, say } = await doorScene(t);
  const one = door.admit([tool("read")]);
  const other = door.admit([tool("write")]);
  assert.notEqual(one.token, other.token);
  assert.equal(statSync(door.socket).mode & 0o777, 0o600);
  for (const where of [{ path: door.socket }, { port: door.port }]) {
    const answer = await say(where, [one.token, JSON.stringify(HELLO)]);
    assert.equal(JSON.parse(answer).result.serverInfo.name, "herd");
  }
});

test("without the token, with one that is over, or with too long a first line nobody is let in", async (t) => {
  const { door, say } = await doorScene(t);
  const ticket = door.admit([tool("read")]);
  const where = { port: door.port };
  const hello = JSON.stringify(HELLO);
  assert.equal(await say(where, ["", hello]), "hung up");
  assert.equal(await say(where, [hello]), "hung up");
  assert.equal(await say(where, [ticket.token.slice(1), hello]), "hung up");
  assert.equal(await say(where, ["x".repeat(5_000), hello]), "hung up");
  ticket[Symbol.dispose]();
  assert.equal(await say(where, [ticket.token, hello]), "hung up");
});

test("a session that ends hangs up on its programs", async (t) => {
  const { door } = await doorScene(t);
  const ticket = door.admit([tool("read")]);
  const client = connect({ port: door.port });
  client.write(`${ticket.token}\n${JSON.stringify(HELLO)}\n`);
  await new Promise((resolve) => client.once("data", resolve));
  const closed = new Promise((resolve) => client.once("close", resolve));
  ticket[Symbol.dispose]();
  client.resume();
  await closed;
});

test("the agent's program reaches them through standard streams, by whichever way is open", async (t) => {
  const { door } = await doorScene(t);
  const { token } = door.admit([tool("read")]);
  for (const socket of [door.socket, "/nowhere/at-all"]) {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const env = {
      [TOOLS_ENV.socket]: socket,
      [TOOLS_ENV.port]: `${door.port}`,
      [TOOLS_ENV.token]: token,
    };
    const over = pipeTools({ env, input, output });
    input.write(`${JSON.stringify(HELLO)}\n`);
    const said = await new Promise<unknown>((resolve) => output.once("data", resolve));
    assert.match(`${said}`, /serverInfo/);
    input.end();
    await over;
  }
  const nobody = { [TOOLS_ENV.socket]: "/nowhere", [TOOLS_ENV.port]: "1", [TOOLS_ENV.token]: "x" };
  const streams = { input: new PassThrough(), output: new PassThrough() };
  await assert.rejects(pipeTools({ env: nobody, ...streams }), /neither its socket nor its port/);
  await assert.rejects(pipeTools({ env: {}, ...streams }), /an agent of the broker starts this/);
});
