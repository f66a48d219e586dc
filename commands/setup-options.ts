import type { Context } from "./command.ts";

/** What `herd pool setup` and `herd broker setup` both take. */
export const SETUP_OPTIONS = [
  { name: "guild", value: "ID", description: "setup: the Discord server" },
  {
    name: "backend",
    value: "KIND",
    choices: ["anthropic", "openrouter", "openai", "acp", "command"],
    description: "setup: what does the work",
  },
  { name: "key-env", value: "NAME", description: "setup: variable that holds the API's key" },
  { name: "base-url", value: "URL", description: "setup: address of the API" },
  {
    name: "model",
    value: "[ALIAS=]ID",
    repeatable: true,
    description: "setup: instead of the usual models; the first is primary",
  },
  { name: "preset", value: "NAME", description: "setup --backend acp: claude, codex, gemini, …" },
  {
    name: "program",
    value: "WORD",
    repeatable: true,
    description: "setup --backend command: the program, then each argument",
  },
  {
    name: "sandbox",
    value: "LEVEL",
    choices: ["none", "workspace", "read-only"],
    description: "setup: what agents can reach (default workspace)",
  },
  {
    name: "budget",
    value: "USD",
    number: "any",
    least: 0,
    description: "setup: what may be spent on a day",
  },
  {
    name: "store-keys",
    description: "setup: token and key themselves into the file, not their variables' names",
  },
  { name: "dry-run", description: "setup: look at everything, change nothing" },
  {
    name: "force",
    short: "f",
    description: "setup: replace the section that is there; the file is kept beside it",
  },
] as const;

export type SetupValues = Context<typeof SETUP_OPTIONS>["values"];
