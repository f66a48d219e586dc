import { z } from "../base/schema.ts";
import type { SessionOption } from "../chat/agent-session.ts";
import { type AcpSession, acpSessionSchema, type AcpStep } from "./acp-session.ts";
import { choiceProblem } from "./choice-problem.ts";

/** The choices that an agent offers, in any of the ways in which agents have offered them. */
export function optionsOf({ configOptions, modes, models }: AcpSession): SessionOption[] {
  const options = (configOptions ?? []).flatMap((one): SessionOption[] => {
    const values = one.options.flatMap((value) => "options" in value ? value.options : [value]);
    // A switch, or another kind that is newer than herd: nothing to choose from a list.
    if (values.length === 0) return [];
    return [{
      id: one.id,
      name: one.name ?? one.id,
      category: one.category === "model" || one.category === "mode" ? one.category : "other",
      current: one.currentValue,
      values,
    }];
  });
  const has = (category: string) => options.some((one) => one.category === category);
  if (models && !has("model")) {
    options.push({
      id: "model",
      name: "Model",
      category: "model",
      current: models.currentModelId ?? undefined,
      values: models.availableModels.map(({ modelId, name }) => ({
        value: modelId,
        name: name ?? modelId,
      })),
    });
  }
  if (modes && !has("mode")) {
    options.push({
      id: "mode",
      name: "Mode",
      category: "mode",
      current: modes.currentModeId ?? undefined,
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
  const problem = choiceProblem(id, value, options);
  if (problem !== undefined) return { problem };
  const { sessionId, configOptions } = session;
  if (configOptions?.some((one) => one.id === id)) {
    return { method: "session/set_config_option", params: { sessionId, configId: id, value } };
  }
  return options.find((one) => one.id === id)?.category === "model"
    ? { method: "session/set_model", params: { sessionId, modelId: value } }
    : { method: "session/set_mode", params: { sessionId, modeId: value } };
}

const mode = z.object({ currentModeId: z.string() });

/**
 * The session after what an agent answered to a step, or told by itself: all of its options, for
 * one choice may change another, or its mode.
 */
export function withTold(session: AcpSession, told: unknown): AcpSession {
  const { configOptions } = acpSessionSchema.safeParse({
    ...Object(told),
    sessionId: session.sessionId,
  }).data ?? {};
  const read = mode.safeParse(told);
  return {
    ...session,
    // An agent that answers with an empty list has not thereby taken back what it offers.
    ...(configOptions && configOptions.length > 0 ? { configOptions } : {}),
    ...(read.success && session.modes
      ? { modes: { ...session.modes, currentModeId: read.data.currentModeId } }
      : {}),
  };
}

/** The session after a step that was taken. */
export function afterStep(session: AcpSession, { method, params }: AcpStep): AcpSession {
  const { configId, value, modelId, modeId } = params;
  if (method === "session/set_model" && session.models) {
    return { ...session, models: { ...session.models, currentModelId: String(modelId) } };
  }
  if (method === "session/set_mode" && session.modes) {
    return { ...session, modes: { ...session.modes, currentModeId: String(modeId) } };
  }
  const configOptions = session.configOptions?.map((one) =>
    one.id === configId ? { ...one, currentValue: String(value) } : one
  );
  return { ...session, ...(configOptions === undefined ? {} : { configOptions }) };
}
