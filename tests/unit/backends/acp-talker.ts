import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { Readable, Writable } from "node:stream";
import {
  agent,
  type AgentContext,
  methods,
  ndJsonStream,
  type PromptRequest,
  RequestError,
  type RequestPermissionResponse,
  type SessionConfigOption,
} from "@agentclientprotocol/sdk";

/**
 * An ACP agent that converses: what it does in a turn is the first word of the prompt's last block,
 * what it was told before is in a file beside it. Its argument says how it loads sessions.
 */
const [loading = "loads"] = process.argv.slice(2);
const MEMORY = "memory.txt";
let model = "small";
let mode = "ask";
const offered = [{
  type: "select",
  id: "m",
  name: "Model",
  category: "model",
  currentValue: "small",
  options: [{ value: "small", name: "Small" }, { value: "large", name: "Large" }],
}];
let cancel = () => {};

async function update(client: AgentContext, sessionId: string, fields: Record<string, unknown>) {
  await client.notify<unknown>("session/update", { sessionId, update: fields });
}

const text = (words: string) => ({ type: "text", text: words });

async function permission(
  client: AgentContext,
  sessionId: string,
  toolCall: Record<string, unknown>,
  kinds = ["allow_once", "reject_once"],
): Promise<string> {
  const options = kinds.map((kind) => ({ optionId: kind, name: kind, kind }));
  const { outcome } = await client.request<RequestPermissionResponse>(
    "session/request_permission",
    { sessionId, toolCall, options },
  );
  return outcome.outcome === "selected" ? outcome.optionId : outcome.outcome;
}

async function turn(client: AgentContext, { sessionId, prompt }: PromptRequest) {
  const blocks = prompt.map((one) => one.type === "text" ? one.text : `[${one.type}]`);
  const [word = "", ...rest] = blocks.at(-1)!.split(" ");
  const say = (words: string) =>
    update(client, sessionId, { sessionUpdate: "agent_message_chunk", content: text(words) });
  const cancelled = new Promise<void>((resolve) => cancel = resolve);
  appendFileSync(MEMORY, `${blocks.at(-1)}\n`);
  switch (word) {
    case "blocks":
      await say(JSON.stringify(blocks));
      break;
    case "remember":
      await say(readFileSync(MEMORY, "utf8").split("\n").length - 2 + " before");
      break;
    case "tools": {
      await say("First.");
      const tool = { toolCallId: "t1", title: "make all", kind: "execute" };
      await update(client, sessionId, { sessionUpdate: "tool_call", ...tool, status: "pending" });
      await update(client, sessionId, {
        sessionUpdate: "tool_call_update",
        toolCallId: "t1",
        status: "completed",
      });
      await say("Then.");
      break;
    }
    case "ask": {
      const toolCall = {
        toolCallId: "t2",
        title: "rm -rf build",
        kind: "delete",
        rawInput: { command: "rm -rf build" },
      };
      await say(await permission(client, sessionId, toolCall, rest));
      break;
    }
    case "known": {
      const id = "t3";
      await update(client, sessionId, {
        sessionUpdate: "tool_call",
        toolCallId: id,
        title: "Edit a.txt",
        kind: "edit",
        content: [{ type: "diff", path: "/a.txt", oldText: "one", newText: "two" }],
      });
      await say(await permission(client, sessionId, { toolCallId: id }));
      break;
    }
    case "untold": {
      // It tells of the tool in no other way than by asking for it.
      const content = [{ type: "content", content: text("in the usual folder") }];
      const toolCall = { toolCallId: "t5", title: "make all", kind: "execute", content };
      await say(await permission(client, sessionId, toolCall));
      break;
    }
    case "hasty": {
      const toolCall = { toolCallId: "t6", title: "make all", kind: "execute" };
      void permission(client, sessionId, toolCall).then((chosen) =>
        appendFileSync("hasty.txt", chosen)
      );
      await say("I wait for nobody");
      break;
    }
    case "large": {
      const rawInput = { command: "x".repeat(200_000) + rest };
      await say(
        await permission(client, sessionId, { toolCallId: "t7", title: "large", rawInput }),
      );
      break;
    }
    case "later":
      // After the answer: nobody's turn.
      setTimeout(async () => {
        const tool = { toolCallId: "t4", title: "late", kind: "execute" };
        appendFileSync("later.txt", await permission(client, sessionId, tool));
      }, 50);
      await say("soon");
      break;
    case "cost":
      for (const part of rest) {
        const cost = { amount: Number(part), currency: "USD" };
        await update(client, sessionId, { sessionUpdate: "usage_update", used: 1, size: 2, cost });
      }
      await say("spent");
      break;
    case "messages":
      for (const [messageId, words] of [["a", "One"], ["a", " more."], ["b", "Two."]] as const) {
        const content = text(words);
        await update(client, sessionId, {
          sessionUpdate: "agent_message_chunk",
          messageId,
          content,
        });
      }
      break;
    case "switch": {
      const [found] = offered.filter(({ id }) => id === "m");
      const configOptions = [{ ...found, currentValue: "large" }];
      await update(client, sessionId, { sessionUpdate: "config_option_update", configOptions });
      await update(client, sessionId, {
        sessionUpdate: "current_mode_update",
        currentModeId: "plan",
      });
      await say("switched");
      break;
    }
    case "quota": {
      await say("counted");
      const token_count = { input_tokens: 30, output_tokens: 4 };
      return { stopReason: "end_turn", _meta: { quota: { token_count, model_usage: [] } } };
    }
    case "mode":
      await say(mode);
      break;
    case "secret":
      process.stderr.write(`my key is ${process.env["MY_KEY"]}\n`, () => process.exit(7));
      return await new Promise(() => {});
    case "model":
      await say(model);
      break;
    case "wait":
      await say("Half");
      await cancelled;
      return { stopReason: "cancelled" };
    case "deaf":
      await say("I go on");
      return await new Promise(() => {});
    case "die":
      await say("I am");
      process.stderr.write("out of cheese\n", () => process.exit(7));
      return await new Promise(() => {});
    case "fail":
      throw RequestError.internalError({}, "no quota");
    case "details":
      throw RequestError.internalError({ details: "The disk is full" });
    case "login":
      throw RequestError.authRequired();
    case "silent":
      break;
    case "children":
      spawn("sleep", ["1000"], { stdio: "ignore" });
      await say("started");
      break;
    case "free":
      spawn("setsid", ["sleep", "73504.5"], { stdio: "ignore" });
      await say("started");
      break;
    case "flood":
      for (let i = 0; i < 5_000; i++) await say("x".repeat(1_000));
      break;
    default:
      await say(`You said ${blocks.at(-1)}`);
  }
  return {
    stopReason: "end_turn",
    usage: { inputTokens: 100, outputTokens: 20, totalTokens: 120 },
  };
}

agent({ name: "talker of tests" })
  .onRequest(methods.agent.initialize, () => ({
    protocolVersion: 1,
    agentCapabilities: {
      loadSession: loading !== "never",
      promptCapabilities: { image: loading === "pictures" },
    },
  }))
  .onRequest(methods.agent.session.new, () => ({
    sessionId: `s${process.pid}`,
    configOptions: offered as SessionConfigOption[],
    ...(loading === "modes"
      ? {
        modes: {
          currentModeId: "ask",
          availableModes: [{ id: "ask", name: "Ask" }, { id: "plan", name: "Plan" }],
        },
      }
      : {}),
  }))
  .onRequest(methods.agent.session.setMode, ({ params }) => {
    mode = params.modeId;
    return {};
  })
  .onRequest(methods.agent.session.setConfigOption, ({ params }) => {
    model = String(params.value);
    return { configOptions: [] };
  })
  .onRequest("session/load", (params: unknown) => params, ({ client, params }) => {
    if (!existsSync(MEMORY) || loading === "forgets") throw RequestError.invalidParams({}, "gone");
    const { sessionId } = params as { sessionId: string };
    if (loading === "null" || loading === "another") {
      const chunk = { sessionUpdate: "agent_message_chunk", content: text("not yours") };
      if (loading === "another") void update(client, `not ${sessionId}`, chunk);
      return null;
    }
    void update(client, sessionId, {
      sessionUpdate: "agent_message_chunk",
      content: text("of old"),
    });
    return {};
  })
  .onNotification(methods.agent.session.cancel, () => cancel())
  .onRequest(
    "session/prompt",
    (params: unknown) => params as PromptRequest,
    ({ client, params }) => turn(client, params),
  )
  .connect(
    ndJsonStream(
      Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
      Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
    ),
  );
