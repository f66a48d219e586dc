import { acpPreset } from "../backends/acp-presets.ts";

/** A known program by its name: `{kind: "acp", preset: "claude"}`. */
export function withPreset(backend: unknown): unknown {
  if (typeof backend !== "object" || backend === null || !("preset" in backend)) return backend;
  const { preset, ...rest } = backend;
  const known = acpPreset(`${preset}`);
  return known === undefined ? backend : { command: known.command, ...rest };
}
