import { PRICES } from "../agent/prices.ts";
import { ACP_PRESETS } from "../backends/acp-presets.ts";
import { oneOf } from "../sweep/fields.ts";
import type { PlainMapping } from "../sweep/yaml-text.ts";
import { engineSection, missingOf } from "../tasks/pool-engine.ts";
import type { EngineWish } from "../tasks/pool-engine.ts";

export { KEY_VARIABLE } from "../tasks/pool-engine.ts";
export type { Engine, EngineWish } from "../tasks/pool-engine.ts";

/** Programs that herd knows how to start, as people name them. */
export const PRESETS: readonly string[] = ACP_PRESETS.map(({ name }) => name);

/** What keeps a wish from being carried out, a sentence each. */
export function wrongWith(wish: EngineWish): string[] {
  const wrong = missingOf(wish);
  const { preset, baseUrl } = wish;
  if (preset !== undefined && !PRESETS.includes(preset)) {
    wrong.push(`Cannot use --preset "${preset}": expected ${oneOf(PRESETS)}`);
  }
  if (
    baseUrl !== undefined && !(URL.canParse(baseUrl) && /^https?:$/.test(new URL(baseUrl).protocol))
  ) {
    wrong.push("Cannot use --base-url: expected an address such as https://openrouter.ai/api/v1");
  }
  return wrong;
}

/** The parts `defaults`, `backends` and `models` of the section; prices where herd knows them. */
export function engineParts(wish: EngineWish): PlainMapping {
  return engineSection(wish, (model) => Object.hasOwn(PRICES, model) ? PRICES[model] : undefined);
}
