import { z } from "../base/schema.ts";

const text = z.string();
const value = z.object({ value: text, name: text });

const option = z.object({
  id: text,
  name: text.nullish().catch(undefined),
  category: text.nullish(),
  currentValue: text.optional().catch(undefined),
  options: z.array(z.union([value, z.object({ options: z.array(value) })])).catch([]),
});
export type AcpOption = z.infer<typeof option>;

/** What the agent answers to `session/new`, as far as it matters here. */
export const acpSessionSchema = z.object({
  sessionId: text,
  configOptions: z.array(option).nullish().catch(undefined),
  modes: z.object({
    currentModeId: text.nullish().catch(undefined),
    availableModes: z.array(z.object({ id: text, name: text })),
  })
    .nullish().catch(undefined),
  /** How agents offered models before there were options. */
  models: z.object({
    currentModelId: text.nullish().catch(undefined),
    availableModels: z.array(z.object({ modelId: text, name: text.nullish() })),
  })
    .nullish().catch(undefined),
});
export type AcpSession = z.infer<typeof acpSessionSchema>;

/** The model that a session begins with, where the agent tells. */
export function modelOf({ configOptions }: AcpSession): string | undefined {
  return configOptions?.find(({ category }) => category === "model")?.currentValue;
}

/** A request to make before the prompt. */
export interface AcpStep {
  method: "session/set_config_option" | "session/set_mode" | "session/set_model";
  params: Record<string, unknown>;
}

export interface AcpWish {
  model: string | undefined;
  /** Id of the option that chooses the model. */
  modelOption: string | undefined;
  mode: string | undefined;
  thinking: string;
}

/**
 * The steps that give the session the wished model, mode and depth of thinking; else why it cannot
 * have them. Another model than the wished one is never taken in silence; thinking is a hint.
 */
export function stepsOf(session: AcpSession, wish: AcpWish): AcpStep[] | { refused: string } {
  const model = wish.model === undefined ? [] : modelSteps(session, wish.model, wish.modelOption);
  if ("refused" in model) return model;
  const mode = wish.mode === undefined ? [] : modeSteps(session, wish.mode);
  if ("refused" in mode) return mode;
  const thinking = session.configOptions?.find(({ category }) => category === "thought_level");
  const level = thinking && valueOf(thinking, wish.thinking);
  return [...model, ...mode, ...(level ? [setOption(session, thinking, level)] : [])];
}

function modelSteps(
  session: AcpSession,
  model: string,
  id: string | undefined,
): AcpStep[] | { refused: string } {
  const { sessionId, configOptions, models } = session;
  const found = configOptions?.find((one) =>
    id === undefined ? one.category === "model" : one.id === id
  );
  if (found !== undefined) {
    const chosen = valueOf(found, model);
    return chosen === undefined
      ? refuse("model", model, valuesOf(found).map((one) => one.value))
      : [setOption(session, found, chosen)];
  }
  const offered = id === undefined ? models?.availableModels ?? [] : [];
  const old = offered.find((one) => one.modelId === model || one.name === model);
  return old === undefined
    ? refuse("model", model, offered.map(({ modelId }) => modelId))
    : [{ method: "session/set_model", params: { sessionId, modelId: old.modelId } }];
}

function modeSteps(session: AcpSession, mode: string): AcpStep[] | { refused: string } {
  const { sessionId, configOptions, modes } = session;
  const found = configOptions?.find(({ category }) => category === "mode");
  const chosen = found && valueOf(found, mode);
  if (chosen !== undefined) return [setOption(session, found!, chosen)];
  const offered = modes?.availableModes ?? [];
  return offered.some(({ id }) => id === mode)
    ? [{ method: "session/set_mode", params: { sessionId, modeId: mode } }]
    : refuse("mode", mode, offered.map(({ id }) => id));
}

function setOption({ sessionId }: AcpSession, { id }: AcpOption, chosen: string): AcpStep {
  return {
    method: "session/set_config_option",
    params: { sessionId, configId: id, value: chosen },
  };
}

function valuesOf(found: AcpOption): { value: string; name: string }[] {
  return found.options.flatMap((one) => "options" in one ? one.options : [one]);
}

function valueOf(found: AcpOption, wanted: string): string | undefined {
  const all = valuesOf(found);
  const same = (one: string) => one.toLowerCase() === wanted.toLowerCase();
  return (all.find((one) => one.value === wanted) ?? all.find((one) => same(one.value)) ??
    all.find((one) => same(one.name)))?.value;
}

function refuse(what: string, wanted: string, offered: readonly string[]): { refused: string } {
  const known = offered.length === 0
    ? `it offers no choice of a ${what}`
    : `it offers ${offered.slice(0, 20).map((one) => JSON.stringify(one)).join(", ")}`;
  return { refused: `Cannot take ${what} ${JSON.stringify(wanted)} with this agent: ${known}` };
}
