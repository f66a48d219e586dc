import { join } from "node:path";
import type { AgentSettings } from "../sweep/config.ts";
import type { ThinkRequest } from "./agent.ts";
import type { Environment } from "./credentials.ts";

/** Name of our server as the command sees it: its tools are `mcp__herd__status` and so on. */
export const SERVER = "herd";

/** Beside `--tools ""`, for versions that read it otherwise: no tool of the command's own may be used. */
const BUILT_IN = [
  "Bash,BashOutput,KillShell,Edit,MultiEdit,Write,Read,NotebookEdit,Glob,Grep,LS",
  "WebFetch,WebSearch,Task,Agent,Skill,SlashCommand,Monitor,RemoteTrigger,PushNotification",
  "CronCreate,CronDelete,CronList,EnterWorktree,ExitWorktree",
].join(",");

/** Milliseconds that the command waits for our server to start, and for one of its tools. */
const SERVER_START_MS = 30_000;

/** Variables that a child must not have. */
const KEPT_BACK = [
  // Set inside the command itself; it refuses to start within another one.
  "CLAUDECODE",
  "CLAUDE_CODE_ENTRYPOINT",
  // Would change what our own executable is when it is started as the server.
  "BUN_OPTIONS",
  "BUN_BE_BUN",
  "DISCORD_BOT_TOKEN",
];

export interface CliFiles {
  /** Private folder of this turn, empty but for these files. */
  folder: string;
  system: string;
  servers: string;
  settings: string;
}

export function cliFiles(folder: string): CliFiles {
  const file = (name: string) => join(folder, name);
  return {
    folder,
    system: file("system.md"),
    servers: file("mcp.json"),
    settings: file("settings.json"),
  };
}

/** No prompt and no secret is in here: other users of the host can read arguments. */
export function cliArguments(
  settings: AgentSettings,
  request: ThinkRequest,
  files: CliFiles,
): string[] {
  const turns = Math.max(1, Math.min(settings.maxTurns, request.maxTurns ?? Infinity));
  const option = (name: string, value: string | undefined) =>
    value === undefined ? [] : [name, value];
  return [
    "--print",
    ...["--input-format", "text"],
    ...["--output-format", "stream-json", "--verbose", "--include-partial-messages"],
    ...["--system-prompt-file", files.system],
    ...["--mcp-config", files.servers, "--strict-mcp-config"],
    ...["--tools", ""],
    ...["--allowedTools", `mcp__${SERVER}__*`],
    ...["--disallowedTools", BUILT_IN],
    ...["--setting-sources", "user", "--settings", files.settings],
    ...["--permission-mode", "default"],
    "--disable-slash-commands",
    "--no-session-persistence",
    ...["--max-turns", String(turns)],
    ...option("--max-budget-usd", request.budgetUsd?.toFixed(4)),
    ...option("--model", settings.model),
    ...option("--effort", settings.effort),
  ];
}

/** What the files of a turn hold, by path. */
export function cliFileTexts(
  files: CliFiles,
  request: ThinkRequest,
  mcpCommand: readonly string[],
): readonly (readonly [string, string])[] {
  const [command = "", ...args] = mcpCommand;
  const servers = { mcpServers: { [SERVER]: { type: "stdio", command, args, env: {} } } };
  const settings = {
    disableAllHooks: true,
    permissions: { deny: BUILT_IN.split(","), disableBypassPermissionsMode: "disable" },
  };
  return [
    [files.system, request.system],
    [files.servers, JSON.stringify(servers)],
    [files.settings, JSON.stringify(settings)],
  ];
}

export function cliEnvironment(env: Environment, toolLimitMs: number): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !KEPT_BACK.includes(name)) kept[name] = value;
  }
  return {
    ...kept,
    MCP_TIMEOUT: String(SERVER_START_MS),
    MCP_TOOL_TIMEOUT: String(toolLimitMs),
    // All our tools at once, instead of a search for them that costs a turn.
    ENABLE_TOOL_SEARCH: "false",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  };
}

/**
 * The prompt as the command may read it. It puts the file behind an "@path" into the
 * conversation and obeys a leading "/", "!" or "#"; our prompts quote logs and strangers.
 */
export function cliPrompt(prompt: string): string {
  const plain = prompt.toWellFormed().replaceAll("@", "@\u2060");
  return /^\s*[/!#]/.test(plain) ? `Situation:\n${plain}` : plain;
}
