import { createWriteStream, readFileSync } from "node:fs";
import { spawn } from "node:child_process";
import process from "node:process";
import { Readable, Writable } from "node:stream";
import {
  agent,
  type AgentContext,
  methods,
  ndJsonStream,
  RequestError,
  type RequestPermissionResponse,
} from "@agentclientprotocol/sdk";

/**
 * An ACP agent as a program of its own, made with the SDK's agent side. Its first argument says how
 * it behaves in its turn; what it found out it says in its answer.
 */
const [mode = "plain", extra = ""] = process.argv.slice(2);
const cwd = process.cwd();
let cancelled = () => {};
const cancel = new Promise<void>((resolve) => cancelled = resolve);
const settings: string[] = [];
let capabilities = "";

type Turn = (say: (text: string) => Promise<void>, client: AgentContext) => Promise<
  { stopReason: "end_turn" | "cancelled" | "refusal" | "max_tokens"; usage?: unknown }
>;

const usage = {
  inputTokens: 100,
  outputTokens: 20,
  thoughtTokens: 5,
  cachedReadTokens: 40,
  cachedWriteTokens: 10,
  totalTokens: 175,
};

async function update(client: AgentContext, fields: Record<string, unknown>): Promise<void> {
  await client.notify<unknown>("session/update", { sessionId: "s1", update: fields });
}

async function ask(client: AgentContext, kind: "edit" | "execute", options: string[]) {
  const { outcome } = await client.request<RequestPermissionResponse>(
    "session/request_permission",
    {
      sessionId: "s1",
      toolCall: { toolCallId: "t1", title: "rm -rf /", kind },
      options: options.map((one) => ({
        optionId: one,
        name: one,
        kind: one,
      })),
    },
  );
  return outcome.outcome === "selected" ? outcome.optionId : outcome.outcome;
}

async function tried(work: () => Promise<unknown>): Promise<string> {
  try {
    return `ok ${JSON.stringify(await work())}`;
  } catch (error) {
    return error instanceof RequestError ? `refused ${error.code}` : `failed ${error}`;
  }
}

const turns: Record<string, Turn> = {
  async plain(say, client) {
    await say("Let me look.");
    await update(client, {
      sessionUpdate: "agent_thought_chunk",
      content: { type: "text", text: "?" },
    });
    await update(client, {
      sessionUpdate: "tool_call",
      toolCallId: "t1",
      title: "cat TASK.txt",
      name: "bash",
      kind: "execute",
    });
    await update(client, { sessionUpdate: "a_kind_of_next_year", what: 1 });
    await say("There are ");
    await say(`${readFileSync("TASK.txt", "utf8").length} letters.`);
    return { stopReason: "end_turn", usage };
  },
  async settings(say) {
    await say([...settings, capabilities].join(" "));
    return { stopReason: "end_turn" };
  },
  async permission(say, client) {
    const all = ["allow_always", "allow_once", "reject_once", "reject_always"];
    await say(
      [
        await ask(client, "edit", all),
        await ask(client, "execute", all),
        await ask(client, "execute", ["allow_always", "reject_once"]),
        await ask(client, "execute", ["allow_always"]),
      ].join(" "),
    );
    return { stopReason: "end_turn" };
  },
  async files(say, client) {
    const read = (path: string) =>
      tried(() => client.request(methods.client.fs.readTextFile, { sessionId: "s1", path }));
    const write = (path: string) =>
      tried(() =>
        client.request(methods.client.fs.writeTextFile, { sessionId: "s1", path, content: "new" })
      );
    const terminal = () =>
      tried(() =>
        client.request(methods.client.terminal.create, { sessionId: "s1", command: "id" })
      );
    const results = [
      await read(`${cwd}/TASK.txt`),
      await read(`${cwd}/../secret`),
      await read("/etc/passwd"),
      await read(`${cwd}/link`),
      await write(`${cwd}/made/file`),
      await write(`${cwd}/../mine`),
      await write(`${cwd}/link`),
      await terminal(),
    ];
    await say(results.join("\n"));
    return { stopReason: "end_turn" };
  },
  async result(say) {
    await import("node:fs").then(({ writeFileSync }) =>
      writeFileSync("RESULT.txt", "from the file")
    );
    await say("Written.");
    return { stopReason: "end_turn" };
  },
  async cost(say, client) {
    for (const amount of [0.01, 0.2, 0.21]) {
      await update(client, {
        sessionUpdate: "usage_update",
        used: 1,
        size: 2,
        cost: { amount, currency: "USD" },
      });
    }
    await say("Dear.");
    return { stopReason: "end_turn", usage };
  },
  async wait(say) {
    await say("Waiting.");
    spawn("setsid", ["sleep", extra], { stdio: "ignore" });
    spawn("sleep", [extra], { stdio: "ignore" });
    await cancel;
    return { stopReason: "cancelled", usage };
  },
  async deaf(say) {
    process.on("SIGTERM", () => {});
    await say("I do not listen.");
    setInterval(() => {}, 1_000);
    return await new Promise(() => {});
  },
  async die(say) {
    await say("I am");
    process.stderr.write("out of cheese\n", () => process.exit(7));
    return await new Promise(() => {});
  },
  async answerAndDie(say) {
    await say("Last words.");
    setTimeout(() => process.exit(0), 0);
    return { stopReason: "end_turn" };
  },
  silent: () => Promise.resolve({ stopReason: "end_turn" }),
  refusal: () => Promise.resolve({ stopReason: "refusal", usage }),
  limit: () => Promise.resolve({ stopReason: "max_tokens" }),
  fails: () => Promise.reject(RequestError.internalError({ details: "no quota" }, "no quota")),
  flood(_say, _client) {
    const out = createWriteStream("/dev/stdout");
    const line = JSON.stringify({
      jsonrpc: "2.0",
      method: "session/update",
      params: {
        sessionId: "s1",
        update: {
          sessionUpdate: "agent_message_chunk",
          content: { type: "text", text: "x".repeat(10_000) },
        },
      },
    });
    const pour = () => {
      while (out.write(`${line}\n`));
      out.once("drain", pour);
    };
    pour();
    return new Promise(() => {});
  },
  async garbage(say) {
    for (const line of ["not json", "[]", "{}", '{"jsonrpc":"2.0","id":99,"result":1}', "null"]) {
      process.stdout.write(`${line}\n`);
    }
    await say("Sorry.");
    return { stopReason: "end_turn" };
  },
  onlyGarbage() {
    const pour = () => {
      while (process.stdout.write("garbage\n"));
      process.stdout.once("drain", pour);
    };
    pour();
    return new Promise(() => {});
  },
};

function serve(): void {
  agent({ name: "agent of tests" })
    .onRequest(methods.agent.initialize, ({ params }) => {
      capabilities = JSON.stringify(params.clientCapabilities);
      return { protocolVersion: mode === "future" ? 9 : 1, agentCapabilities: {} };
    })
    .onRequest(methods.agent.session.new, ({ params }) => {
      if (mode === "login") throw RequestError.authRequired();
      if (params.cwd !== cwd) throw new Error("Not the folder that it was started in");
      return {
        sessionId: "s1",
        modes: {
          currentModeId: "ask",
          availableModes: [{ id: "ask", name: "Ask" }, { id: "auto", name: "Auto" }],
        },
        configOptions: [
          {
            type: "select",
            id: "m",
            name: "Model",
            category: "model",
            currentValue: "small-1",
            options: [{ value: "small-1", name: "Small" }, { value: "large-2", name: "Large" }],
          },
          {
            type: "select",
            id: "t",
            name: "Thinking",
            category: "thought_level",
            currentValue: "low",
            options: [{ value: "low", name: "Low" }, { value: "hi", name: "High" }],
          },
        ],
      };
    })
    .onRequest(methods.agent.session.setConfigOption, ({ params }) => {
      settings.push(`${params.configId}=${params.value}`);
      return { configOptions: [] };
    })
    .onRequest(methods.agent.session.setMode, ({ params }) => {
      settings.push(`mode=${params.modeId}`);
      return {};
    })
    .onNotification(methods.agent.session.cancel, () => cancelled())
    .onRequest("session/prompt", (params: unknown) => params, async ({ client }) => {
      const say = (text: string) =>
        update(client, { sessionUpdate: "agent_message_chunk", content: { type: "text", text } });
      return await turns[mode]!(say, client);
    })
    .connect(
      ndJsonStream(
        Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
        Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
      ),
    );
}

if (mode === "mute") setInterval(() => {}, 1_000);
else serve();
