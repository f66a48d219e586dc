import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import process from "node:process";
import { Readable, Writable } from "node:stream";
import {
  agent,
  type AgentContext,
  methods,
  ndJsonStream,
  type PromptRequest,
  type RequestPermissionResponse,
} from "@agentclientprotocol/sdk";

/**
 * An agent on the protocol's own SDK, with the least that an agent does: it streams, uses the shell
 * when it may, stops when it is told to, and keeps its session in a file.
 */
const KEPT = "session.txt";
let stop = new AbortController();

async function tell(client: AgentContext, sessionId: string, update: Record<string, unknown>) {
  await client.notify<unknown>("session/update", { sessionId, update });
}

async function say(client: AgentContext, sessionId: string, text: string) {
  await tell(client, sessionId, {
    sessionUpdate: "agent_message_chunk",
    content: { type: "text", text },
  });
}

async function makeFile(client: AgentContext, sessionId: string) {
  const command = "touch made.txt";
  const tool = { toolCallId: crypto.randomUUID(), title: command, kind: "execute" as const };
  await tell(client, sessionId, { sessionUpdate: "tool_call", ...tool, status: "pending" });
  const { outcome } = await client.request<RequestPermissionResponse>(
    methods.client.session.requestPermission,
    {
      sessionId,
      toolCall: { ...tool, rawInput: { command } },
      options: [
        { optionId: "yes", name: "Yes", kind: "allow_once" },
        { optionId: "no", name: "No", kind: "reject_once" },
      ],
    },
  );
  const may = outcome.outcome === "selected" && outcome.optionId === "yes";
  if (may) spawnSync("/bin/sh", ["-c", command]);
  const status = may ? "completed" : "failed";
  await tell(client, sessionId, {
    sessionUpdate: "tool_call_update",
    toolCallId: tool.toolCallId,
    status,
  });
  await say(client, sessionId, "That is done with, one way or the other");
}

async function count(client: AgentContext, sessionId: string, signal: AbortSignal) {
  for (let i = 0; i < 400 && !signal.aborted; i++) {
    await say(client, sessionId, `number ${i}, `);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function answer(client: AgentContext, { sessionId, prompt }: PromptRequest) {
  const { signal } = stop = new AbortController();
  const text = prompt.map((one) => one.type === "text" ? one.text : "").join("\n");
  const newest = text.slice(text.lastIndexOf("<herd-message"));
  if (newest.includes("make the file")) await makeFile(client, sessionId);
  else if (newest.includes("count slowly")) await count(client, sessionId, signal);
  else await say(client, sessionId, "Hello from the model");
  return { stopReason: signal.aborted ? "cancelled" as const : "end_turn" as const };
}

agent({ name: "agent of tests" })
  .onRequest(methods.agent.initialize, () => ({
    protocolVersion: 1,
    agentCapabilities: { loadSession: true },
  }))
  .onRequest(methods.agent.session.new, () => {
    const sessionId = crypto.randomUUID();
    writeFileSync(KEPT, sessionId);
    return { sessionId };
  })
  .onRequest(methods.agent.session.load, async ({ client, params: { sessionId } }) => {
    if (!existsSync(KEPT)) throw new Error("There is no such session");
    await say(client, sessionId, "Hello from the model");
    return {};
  })
  .onNotification(methods.agent.session.cancel, () => stop.abort())
  .onRequest(methods.agent.session.prompt, ({ client, params }) => answer(client, params))
  .connect(
    ndJsonStream(
      Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
      Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
    ),
  );
