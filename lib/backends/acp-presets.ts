/** A program that speaks the Agent Client Protocol, as people name it. */
export interface AcpPreset {
  name: string;
  command: readonly string[];
}

/**
 * How the known ones are started. Each has to be installed and logged in by itself; a configuration
 * that names its own command needs no line in here.
 */
export const ACP_PRESETS: readonly AcpPreset[] = [
  { name: "claude", command: ["claude-agent-acp"] },
  { name: "codex", command: ["codex-acp"] },
  { name: "gemini", command: ["gemini", "--experimental-acp"] },
  { name: "kiro", command: ["kiro-cli", "acp"] },
  { name: "openclaw", command: ["openclaw", "acp"] },
  { name: "opencode", command: ["opencode", "acp"] },
  { name: "goose", command: ["goose", "acp"] },
];

export function acpPreset(name: string): AcpPreset | undefined {
  return ACP_PRESETS.find((preset) => preset.name === name);
}
