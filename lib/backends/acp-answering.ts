import { client, methods } from "@agentclientprotocol/sdk";
import type { OpenWish, PermissionRequest } from "../chat/agent-session.ts";
import type { Sandbox } from "../tasks/sandbox.ts";
import { createAcpFiles } from "./acp-files.ts";
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
    /** Undefined while no prompt runs: nobody could answer then. */
    signal(): AbortSignal | undefined;
    /** What was told of a tool before it was asked for. */
    toolFacts(id: string): ToolFacts | undefined;
  },
) {
  const files = createAcpFiles(folder, sandbox);
  return client({ name: "herd" })
    .onRequest(methods.client.session.requestPermission, async ({ params }) => {
      const { toolCall, options } = params;
      const signal = prompts.signal();
      const cancelled = { outcome: { outcome: "cancelled" } } as const;
      if (signal === undefined || signal.aborted) return cancelled;
      const told = prompts.toolFacts(toolCall.toolCallId) ?? {};
      const title = toolCall.title ?? told.title;
      const request = requestOf({
        title,
        kind: toolCall.kind ?? told.kind,
        input: toolCall.rawInput ?? told.input,
        content: toolCall.content ?? told.content,
      });
      const isOwn = isOwnTool({ title, kind: request.kind }, ownTools);
      // Who was asked and failed has not said yes.
      const answer = isOwn
        ? "once"
        : await hooks.permission(request, signal).catch(() => "deny" as const);
      if (signal.aborted) return cancelled;
      const wanted = answer === "deny" ? ["reject_once", "reject_always"] : answer === "always"
        // Never more than is offered, never less than was said.
        ? ["allow_always", "allow_once"]
        : ["allow_once"];
      const chosen = wanted.flatMap((kind) => options.find((one) => one.kind === kind) ?? [])[0];
      return chosen === undefined
        ? cancelled
        : { outcome: { outcome: "selected", optionId: chosen.optionId } };
    })
    .onRequest(methods.client.fs.readTextFile, ({ params }) => files.read(params))
    .onRequest(methods.client.fs.writeTextFile, ({ params }) => {
      files.write(params);
      return {};
    });
}

function requestOf({ title, kind, input, content }: ToolFacts): PermissionRequest {
  const detail = [inputOf(input), ...changesOf(content)].filter((text) => text !== "").join("\n\n");
  const name = title ?? kind ?? "a tool";
  return {
    // A title may say less than the whole, such as "Edit file".
    tool: exactly(detail === "" || detail === name ? name : `${name}: ${detail}`),
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

function marked(sign: string, text: unknown): string[] {
  return typeof text === "string" ? text.split("\n").map((line) => `${sign} ${line}`) : [];
}
