import type { RequestPermissionOutcome, RequestPermissionRequest } from "@agentclientprotocol/sdk";
import type { SandboxLevel } from "../tasks/sandbox.ts";

/** Kinds of tools that change files; the others run within the sandbox, which holds them. */
const CHANGES: readonly unknown[] = ["edit", "delete", "move"];

/**
 * The answer to a program that asks whether it may: once, never always. What goes beyond the sandbox
 * is not held by this answer but by the sandbox.
 */
export function answerPermission(
  { options, toolCall }: Pick<RequestPermissionRequest, "options" | "toolCall">,
  level: SandboxLevel,
): RequestPermissionOutcome {
  const changes = level === "read-only" && CHANGES.includes(toolCall.kind);
  const once = changes ? undefined : options.find(({ kind }) => kind === "allow_once");
  const chosen = once ?? options.find(({ kind }) => kind === "reject_once");
  return chosen === undefined
    ? { outcome: "cancelled" }
    : { outcome: "selected", optionId: chosen.optionId };
}
