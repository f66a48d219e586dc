import { client, methods } from "@agentclientprotocol/sdk";
import type { OpenWish, PermissionRequest } from "../chat/agent-session.ts";
import type { Sandbox } from "../tasks/sandbox.ts";
import { createAcpFiles } from "./acp-files.ts";
import { acpPermissionRequestSchema } from "./acp-permission-request.ts";
import type { ToolFacts } from "./acp-tool-facts.ts";
import { isOwnTool } from "./own-tool.ts";
import { toolKind } from "./tool-kind.ts";
import { detailed, exactly, titled } from "./tool-request.ts";

/** The side of the protocol that answers: permissions and files. Nothing else is offered. */
export function answering(
  { folder, hooks }: OpenWish,
  sandbox: Sandbox,
  /** Names of herd's own tools, for which nobody is asked. */
  ownTools: readonly string[],
  prompts: {
    /** Undefined while no prompt of the session runs: nobody could answer then. */
    signal(session: string): AbortSignal | undefined;
    /** Some agents tell of a tool in no other way; answers all that was told of it by now. */
    hearTool(told: Readonly<Record<string, unknown>>): ToolFacts;
  },
) {
  const files = createAcpFiles(folder, sandbox);
  return client({ name: "herd" })
    .onRequest(
      methods.client.session.requestPermission,
      acpPermissionRequestSchema,
      async ({ params }) => {
        const { sessionId, toolCall, options } = params;
        const signal = prompts.signal(sessionId);
        const cancelled = { outcome: { outcome: "cancelled" } } as const;
        if (signal === undefined || signal.aborted) return cancelled;
        const facts = prompts.hearTool(toolCall);
        // A yes that cannot be given must not be asked for: people would take it for one.
        if (!options.some(({ kind }) => kind === "allow_once" || kind === "allow_always")) {
          prompts.hearTool({ toolCallId: toolCall.toolCallId, status: "failed" });
          return cancelled;
        }
        const request = requestOf(facts);
        const isOwn = isOwnTool({ title: facts.title, kind: request.kind }, ownTools);
        // Who was asked and failed has not said yes.
        const answer = isOwn
          ? "once"
          : await hooks.permission(request, signal).catch(() => "deny" as const);
        if (signal.aborted) return cancelled;
        // Many agents say no more of what they may not do.
        if (answer === "deny") {
          prompts.hearTool({ toolCallId: toolCall.toolCallId, status: "failed" });
        }
        const wanted = answer === "deny" ? ["reject_once", "reject_always"] : answer === "always"
          // Whoever gave the answer remembers it, and can take it back; an agent could not.
          ? ["allow_once", "allow_always"]
          : ["allow_once"];
        const chosen = wanted.flatMap((kind) => options.find((one) => one.kind === kind) ?? [])[0];
        return chosen === undefined
          ? cancelled
          : { outcome: { outcome: "selected", optionId: chosen.optionId } };
      },
    )
    .onRequest(methods.client.fs.readTextFile, ({ params }) => files.read(params))
    .onRequest(methods.client.fs.writeTextFile, ({ params }) => {
      files.write(params);
      return {};
    });
}

function requestOf({ title, kind, input, content }: ToolFacts): PermissionRequest {
  const said = wordsOf(content);
  const whole = joined([inputOf(input), ...changesOf(content)]) || joined(said);
  const detail = joined([inputOf(input), ...changesOf(content), ...said]);
  const name = title ?? kind ?? "a tool";
  return {
    // A title may say less than the whole, such as "Edit file".
    tool: exactly(whole === "" || whole === name ? name : `${name}: ${whole}`),
    kind: toolKind(kind),
    title: titled(name),
    detail: detailed(detail),
  };
}

/** What exactly it would do, as far as the agent says. */
function inputOf(input: unknown): string {
  if (input === undefined || input === null) return "";
  const command: unknown = Object(input)["command"];
  return typeof command === "string" ? command : JSON.stringify(input, null, 2) ?? "";
}

function changesOf(content: unknown): string[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((one: unknown) => {
    const { type, path, oldText, newText } = Object(one) as Record<string, unknown>;
    if (type !== "diff" || typeof path !== "string") return [];
    return [[path, ...marked("-", oldText), ...marked("+", newText)].join("\n")];
  });
}

/** What the agent says beside it, such as what it is for. */
function wordsOf(content: unknown): string[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((one: unknown) => {
    const text: unknown = Object(Object(one)["content"])["text"];
    return Object(one)["type"] === "content" && typeof text === "string" ? [text] : [];
  });
}

function joined(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("\n\n");
}

function marked(sign: string, text: unknown): string[] {
  return typeof text === "string" ? text.split("\n").map((line) => `${sign} ${line}`) : [];
}
