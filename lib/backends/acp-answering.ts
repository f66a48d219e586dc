import { client, methods } from "@agentclientprotocol/sdk";
import { cleanLine } from "../agent/quote-data.ts";
import type { OpenWish, PermissionRequest } from "../chat/agent-session.ts";
import type { Sandbox } from "../tasks/sandbox.ts";
import { createAcpFiles } from "./acp-files.ts";
import { toolKind } from "./tool-kind.ts";

/** The side of the protocol that answers: permissions and files. Nothing else is offered. */
export function answering(
  { folder, hooks }: OpenWish,
  sandbox: Sandbox,
  signal: () => AbortSignal,
) {
  const files = createAcpFiles(folder, sandbox);
  return client({ name: "herd" })
    .onRequest(methods.client.session.requestPermission, async ({ params }) => {
      const { toolCall, options } = params;
      const request: PermissionRequest = {
        tool: cleanLine(toolCall.title ?? "a tool", 80),
        kind: toolKind(toolCall.kind),
        title: cleanLine(toolCall.title ?? toolCall.kind ?? "a tool", 200),
        detail: detailOf(toolCall.rawInput),
      };
      const answer = await hooks.permission(request, signal());
      const wanted = answer === "deny" ? ["reject_once", "reject_always"] : answer === "always"
        // Never more than is offered, never less than was said.
        ? ["allow_always", "allow_once"]
        : ["allow_once"];
      const chosen = wanted.flatMap((kind) => options.find((one) => one.kind === kind) ?? [])[0];
      return {
        outcome: chosen === undefined
          ? { outcome: "cancelled" }
          : { outcome: "selected", optionId: chosen.optionId },
      };
    })
    .onRequest(methods.client.fs.readTextFile, ({ params }) => files.read(params))
    .onRequest(methods.client.fs.writeTextFile, ({ params }) => {
      files.write(params);
      return {};
    });
}

const LONGEST_DETAIL = 4_000;

/** What exactly it would do, as far as the agent says. */
function detailOf(input: unknown): string {
  if (input === undefined || input === null) return "";
  const command = Object(input)["command"];
  const text = typeof command === "string" ? command : JSON.stringify(input, null, 2);
  return text.slice(0, LONGEST_DETAIL);
}
