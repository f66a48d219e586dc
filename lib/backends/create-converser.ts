import type { Converser } from "../chat/agent-session.ts";
import { createAcpConverser } from "./acp-converser.ts";
import { createApiConverser } from "./api-converser.ts";
import type { BackendConfig } from "./backend-config.ts";
import { createCommandConverser } from "./command-converser.ts";
import type { ConverserParts } from "./converser-parts.ts";

/** Whom a conversation is held with, by a configuration; else why there can be none: one sentence without a period. */
export function createConverser(
  config: BackendConfig,
  parts: ConverserParts,
): Converser | { refused: string } {
  switch (config.kind) {
    case "anthropic":
    case "openai":
      return createApiConverser(config, parts);
    case "acp":
      return createAcpConverser(config, parts);
    case "command":
      return createCommandConverser(config, parts);
  }
}
