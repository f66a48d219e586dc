import type { TurnUse } from "../chat/turn.ts";
import type { ModelUse } from "../sweep/monitor-event.ts";

/** The books of one prompt: the sum of its calls. */
export function createUseSum(onUse: (use: TurnUse) => void) {
  let sum: TurnUse | undefined;
  return {
    add({ model, tokens, usd }: ModelUse): void {
      const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, usd: 0 };
      const last = sum ?? none;
      sum = {
        model,
        input: last.input + tokens.input,
        output: last.output + tokens.output,
        cacheRead: last.cacheRead + tokens.cacheRead,
        cacheWrite: last.cacheWrite + tokens.cacheWrite,
        // A part that nobody knows makes the sum unknown.
        usd: last.usd === null || usd === null ? null : last.usd + usd,
      };
      onUse(sum);
    },
  };
}
