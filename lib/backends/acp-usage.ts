import { z } from "../base/schema.ts";
import type { WorkUse } from "../tasks/backend.ts";

const count = z.number().int().min(0).nullish().catch(undefined);

/** Tokens of the whole session, where the agent tells them with its answer to the prompt. */
const usage = z.object({
  inputTokens: z.number().int().min(0),
  outputTokens: z.number().int().min(0),
  totalTokens: count,
  thoughtTokens: count,
  cachedReadTokens: count,
  cachedWriteTokens: count,
});

/** Where Gemini CLI tells the tokens of one prompt; the protocol has no word for it yet. */
const quota = z.object({
  _meta: z.object({
    quota: z.object({
      token_count: z.object({
        input_tokens: z.number().int().min(0),
        output_tokens: z.number().int().min(0),
      }),
    }),
  }),
});

/** What an agent's answer to a prompt says of tokens, in any of the ways in which agents do. */
export function usageIn(answer: unknown): unknown {
  const told: unknown = Object(answer)["usage"];
  if (told !== undefined && told !== null) return told;
  const read = quota.safeParse(answer);
  if (!read.success) return undefined;
  const { input_tokens: inputTokens, output_tokens: outputTokens } =
    read.data._meta.quota.token_count;
  return inputTokens + outputTokens === 0 ? undefined : { inputTokens, outputTokens };
}

/** A smaller part waits for the next, so that an hour's work is not a thousand records. US dollars. */
const LEAST_USD = 0.05;

/** The books of one session: the agent tells sums, the pool wants what came on top. */
export interface AcpUsage {
  /** US dollars so far. Undefined when it never said. */
  spent(): number | undefined;
  /** The cost of a `usage_update`; answers what is to be told now. */
  addCost(cost: unknown): WorkUse | undefined;
  /** `usage` of the answer to the prompt, or nothing; answers what has not been told yet. */
  close(told: unknown): WorkUse | undefined;
}

/** `model`: the one that the session has by now. */
export function createAcpUsage(model: () => string): AcpUsage {
  let told = 0;
  let spent: number | undefined;

  function useOf(tokens: Omit<WorkUse, "model" | "usd">, usd: number | undefined): WorkUse {
    return { model: model(), ...tokens, usd };
  }

  function untold(): number | undefined {
    if (spent === undefined) return undefined;
    const rest = Math.max(0, spent - told);
    told = Math.max(told, spent);
    return rest;
  }

  const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  return {
    spent: () => spent,
    addCost(cost) {
      const read = z.object({ amount: z.number().min(0), currency: z.literal("USD") })
        .safeParse(cost);
      if (!read.success) return undefined;
      // A sum that shrinks is a mistake of the agent's: what was spent stays spent.
      spent = Math.max(spent ?? 0, read.data.amount);
      return spent - told < LEAST_USD ? undefined : useOf(none, untold());
    },
    close(given) {
      const read = usage.safeParse(given);
      const usd = untold();
      if (!read.success) return usd === undefined || usd === 0 ? undefined : useOf(none, usd);
      return useOf(tokensOf(read.data), usd);
    },
  };
}

function tokensOf(told: z.infer<typeof usage>): Omit<WorkUse, "model" | "usd"> {
  const { inputTokens: input, outputTokens, totalTokens } = told;
  const [cacheRead, cacheWrite] = [told.cachedReadTokens ?? 0, told.cachedWriteTokens ?? 0];
  const thought = told.thoughtTokens ?? 0;
  // Whether thinking is part of the output differs from agent to agent; the total tells.
  const within = totalTokens === input + outputTokens + cacheRead + cacheWrite;
  return { input, output: within ? outputTokens : outputTokens + thought, cacheRead, cacheWrite };
}
