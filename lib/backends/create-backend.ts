import type { Backend } from "../tasks/backend.ts";
import { createAcpBackend } from "./acp-backend.ts";
import { createAnthropicBackend } from "./anthropic-backend.ts";
import type { BackendConfig } from "./backend-config.ts";
import type { BackendParts } from "./backend-parts.ts";
import { createCommandBackend } from "./command-backend.ts";
import { createOpenAiBackend } from "./openai-backend.ts";

/** The backend of a configuration; else why there can be none: one sentence without a period. */
export function createBackend(
  config: BackendConfig,
  parts: BackendParts,
): Backend | { refused: string } {
  switch (config.kind) {
    case "anthropic":
      return createAnthropicBackend(config, parts);
    case "openai":
      return createOpenAiBackend(config, parts);
    case "acp":
      return createAcpBackend(config, parts);
    case "command":
      return createCommandBackend(config, parts);
  }
}
