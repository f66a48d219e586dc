import { NothingError, UserError } from "../../base/errors.ts";
import { z } from "../../base/schema.ts";
import { defineTool } from "../define-tool.ts";
import { cleanLine } from "../quote-data.ts";
import type { Tool } from "../tool.ts";
import { askDesk } from "./ask-desk.ts";
import type { Kit } from "./kit.ts";

export function readUserPromptTool({ desk, quote }: Kit): Tool {
  return defineTool({
    name: "read_user_prompt",
    description: "PROMPT.md, the owner's standing wishes for this sweep, with its SHA-256.",
    input: z.strictObject({ offset: z.int().min(0).optional() }),
    acts: false,
    run({ offset = 0 }) {
      const found = desk.userPrompt();
      if (found === undefined) return "There is no PROMPT.md.";
      const { text, sha256, seen } = found;
      const page = text.slice(offset, offset + PAGE);
      const next = offset + page.length;
      const more = next < text.length ? ` Next page: offset ${next} of ${text.length}.` : "";
      return `${quote(page, { kind: "owner", source: "PROMPT.md", limit: PAGE })}\n` +
        `SHA-256 ${sha256}, ${seen ? "marked as read" : "not marked as read yet"}.${more}`;
    },
  });
}

const PAGE = 9_000;

export function markUserPromptReadTool(kit: Kit): Tool {
  return defineTool({
    name: "mark_user_prompt_read",
    description: "Says that you took PROMPT.md into account, so that it is not shown again.",
    input: z.strictObject({ sha256: z.string().max(100) }),
    acts: true,
    run({ sha256 }) {
      const found = kit.desk.userPrompt();
      if (found === undefined) throw new NothingError("Cannot mark PROMPT.md: there is none");
      const given = sha256.trim().toLowerCase();
      if (given !== found.sha256.toLowerCase()) {
        throw new UserError(
          `Cannot mark PROMPT.md as read: found SHA-256 "${cleanLine(given, 70)}", which is not ` +
            "that of the file as it is now",
          { hint: "Read it with read_user_prompt and give the SHA-256 that stands there" },
        );
      }
      return askDesk(kit, { verb: "acknowledge-prompt", sha256: found.sha256 });
    },
  });
}
