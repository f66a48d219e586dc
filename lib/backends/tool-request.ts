import { createHash } from "node:crypto";
import { cleanLine, cleanText, cut } from "../agent/quote-data.ts";
import type { PermissionRequest } from "../chat/agent-session.ts";
import type { ToolKind } from "../chat/turn.ts";

const TITLE = 200;
const DETAIL = 4_000;

/** What a call of one of herd's tools for files and commands would do, for a person who decides. */
export function toolRequest(name: string, input: unknown): PermissionRequest {
  const kind = KINDS[name] ?? "other";
  const path = textIn(input, "path") ?? ".";
  switch (name) {
    case "shell": {
      const argv: unknown = Object(input)["argv"];
      const command = textIn(input, "command") ?? JSON.stringify(argv ?? "");
      return { tool: exactly(command), kind, title: titled(command), detail: detailed(command) };
    }
    case "write_file": {
      const detail = `${path}\n\n${textIn(input, "content") ?? ""}`;
      return of(`write ${path}`, `Write ${path}`, detail);
    }
    case "edit_file": {
      const lines = (sign: string, text = "") =>
        text.split("\n").map((line) => `${sign} ${line}`).join("\n");
      const change = `${lines("-", textIn(input, "old"))}\n${lines("+", textIn(input, "new"))}`;
      return of(`edit ${path}`, `Edit ${path}`, `${path}\n\n${change}`);
    }
    case "search":
      return of("search", `Search ${path} for ${textIn(input, "pattern") ?? ""}`, all(input));
    case "read_file":
      return of("read", `Read ${path}`, path);
    case "list_files":
      return of("read", `List ${path}`, path);
    default:
      return of(name, `${name} ${JSON.stringify(input) ?? ""}`, all(input));
  }

  function of(tool: string, title: string, detail: string): PermissionRequest {
    return { tool: exactly(tool), kind, title: titled(title), detail: detailed(detail) };
  }
}

const KINDS: Readonly<Record<string, ToolKind>> = {
  read_file: "read",
  list_files: "read",
  search: "search",
  shell: "execute",
  write_file: "edit",
  edit_file: "edit",
};

/**
 * A line that stands for this very text: what was allowed once and for all is this and nothing that
 * only begins like it or looks like it.
 */
export function exactly(text: string): string {
  const line = cleanLine(text, TITLE);
  if (line === text) return line;
  return `${line} (${createHash("sha256").update(text).digest("hex").slice(0, 16)})`;
}

/** One line for people. */
export function titled(text: string): string {
  return cleanLine(text, TITLE) || "(nothing to be seen)";
}

/** What is to be done, without what nobody sees, and with a word where it was cut. */
export function detailed(text: string): string {
  return text.length <= DETAIL
    ? cleanText(text)
    : `${
      cut(cleanText(text), { limit: DETAIL, keep: "start" })
    }\n[${text.length} characters in all]`;
}

function textIn(input: unknown, key: string): string | undefined {
  const value: unknown = Object(input)[key];
  return typeof value === "string" ? value : undefined;
}

function all(input: unknown): string {
  return JSON.stringify(input, null, 2) ?? "";
}
