import { z } from "../base/schema.ts";

/**
 * A `session/request_permission`, read with patience: a kind of option or tool that is newer than
 * herd is no reason to refuse all of the request.
 */
export const acpPermissionRequestSchema = z.object({
  sessionId: z.string(),
  toolCall: z.looseObject({ toolCallId: z.string() }),
  options: z.array(z.object({ optionId: z.string(), kind: z.string().catch("") })),
});
