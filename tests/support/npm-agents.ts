import type { NpmProgram } from "./npm-agent.ts";

/** An agent of npm as herd starts it, talking to a model of ours. */
export interface KnownAgent extends NpmProgram {
  args: readonly string[];
  /** Beside `HOME`, in which everything that it keeps is. `url`: the model's server, without a path. */
  env(url: string): Readonly<Record<string, string>>;
  /** The broker's key `model`. */
  model?: string;
  /** Files of its home, by path. */
  files?(url: string): Readonly<Record<string, string>>;
  /** The model's call that runs a command of the shell. */
  shell(command: string): { name: string; arguments: string };
}

const toJson = (value: unknown) => JSON.stringify(value, null, 2);

/** 96 MB without its optional parts, no account: a key of any kind and the address of a server. */
export const GEMINI: KnownAgent = {
  name: "@google/gemini-cli",
  version: "0.61.0",
  file: "@google/gemini-cli/bundle/gemini.js",
  args: ["--experimental-acp"],
  env: (url) => ({ GEMINI_API_KEY: "gm-test", GOOGLE_GEMINI_BASE_URL: url }),
  // Its own choice asks a model first, which one to ask.
  model: "gemini-2.5-pro",
  shell: (command) => ({ name: "run_shell_command", arguments: toJson({ command }) }),
};

/** Claude Code behind the adapter of the protocol's makers; its program is a package of 230 MB. */
export const CLAUDE: KnownAgent = {
  name: "@agentclientprotocol/claude-agent-acp",
  version: "0.100.0",
  file: ".bin/claude-agent-acp",
  isNative: true,
  args: [],
  env: (url) => ({
    ANTHROPIC_API_KEY: "sk-ant-test",
    ANTHROPIC_BASE_URL: url,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  }),
  shell: (command) => ({
    name: "Bash",
    arguments: toJson({ command, description: "Make the file" }),
  }),
};

export const CODEX: KnownAgent = {
  name: "@zed-industries/codex-acp",
  version: "0.16.0",
  file: "@zed-industries/codex-acp-linux-x64/bin/codex-acp",
  isNative: true,
  args: [],
  env: () => ({ OPENAI_API_KEY: "sk-test" }),
  files: (url) => ({
    ".codex/config.toml": `model = "gpt-5.5"
model_provider = "ours"
approval_policy = "untrusted"
sandbox_mode = "read-only"
[model_providers.ours]
name = "ours"
base_url = "${url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
`,
  }),
  shell: (command) => ({
    name: "shell_command",
    arguments: toJson({ command }),
  }),
};

/** 180 MB, with a program of its own for each machine. */
export const OPENCODE: KnownAgent = {
  name: "opencode-ai",
  version: "1.18.33",
  file: "opencode-linux-x64/bin/opencode",
  isNative: true,
  args: ["acp"],
  env: () => ({ OPENCODE_DISABLE_MODELS_FETCH: "1", OPENCODE_DISABLE_AUTOUPDATE: "1" }),
  files: (url) => ({
    ".config/opencode/opencode.json": toJson({
      model: "ours/plain",
      small_model: "ours/plain",
      autoupdate: false,
      share: "disabled",
      permission: { bash: "ask" },
      provider: {
        ours: {
          npm: "@ai-sdk/openai-compatible",
          name: "Ours",
          options: { baseURL: `${url}/v1`, apiKey: "sk-test" },
          models: { plain: { name: "Plain", limit: { context: 100_000, output: 8_000 } } },
        },
      },
    }),
  }),
  shell: (command) => ({
    name: "bash",
    arguments: toJson({ command, description: "Make the file" }),
  }),
};
