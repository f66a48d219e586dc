import type { SessionOption } from "../chat/agent-session.ts";
import type { AcpSession, AcpStep } from "./acp-session.ts";

/** The choices that an agent offers, in any of the ways in which agents have offered them. */
export function optionsOf({ configOptions, modes, models }: AcpSession): SessionOption[] {
  const options = (configOptions ?? []).map((one): SessionOption => ({
    id: one.id,
    name: one.id,
    category: one.category === "model" || one.category === "mode" ? one.category : "other",
    current: one.currentValue,
    values: one.options.flatMap((value) => "options" in value ? value.options : [value]),
  }));
  const has = (category: string) => options.some((one) => one.category === category);
  if (models && !has("model")) {
    options.push({
      id: "model",
      name: "model",
      category: "model",
      current: undefined,
      values: models.availableModels.map(({ modelId, name }) => ({
        value: modelId,
        name: name ?? modelId,
      })),
    });
  }
  if (modes && !has("mode")) {
    options.push({
      id: "mode",
      name: "mode",
      category: "mode",
      current: undefined,
      values: modes.availableModes.map(({ id, name }) => ({ value: id, name })),
    });
  }
  return options;
}

/** The request that makes a choice; else why it cannot be made. */
export function stepOf(
  session: AcpSession,
  id: string,
  value: string,
): AcpStep | { problem: string } {
  const options = optionsOf(session);
  const option = options.find((one) => one.id === id);
  if (option === undefined) {
    const known = options.map((one) => `"${one.id}"`).join(", ");
    return {
      problem: `The agent offers no choice "${id}"${known === "" ? "" : `, only ${known}`}`,
    };
  }
  if (!option.values.some((one) => one.value === value)) {
    const known = option.values.slice(0, 20).map((one) => `"${one.value}"`).join(", ");
    return { problem: `"${value}" is none of ${known}` };
  }
  const { sessionId, configOptions } = session;
  if (configOptions?.some((one) => one.id === id)) {
    return { method: "session/set_config_option", params: { sessionId, configId: id, value } };
  }
  return option.category === "model"
    ? { method: "session/set_model", params: { sessionId, modelId: value } }
    : { method: "session/set_mode", params: { sessionId, modeId: value } };
}
