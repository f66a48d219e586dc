/** Something that a model may call. */
export interface Tool {
  /** Letters, digits, underscores. */
  readonly name: string;
  /** What it does, when to use it, what it gives back: the model reads this. */
  readonly description: string;
  /** JSON Schema of the input, an object; optional arguments are optional. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Whether it changes something. */
  readonly acts: boolean;
  /** The same call may be made again and again, such as running the tests after each edit. */
  readonly repeatable?: boolean;
  /** The input as it would be run, small slips mended; else what is wrong, a sentence for the model. */
  read?(input: unknown): { input: unknown } | { mistake: string };
  /**
   * Runs it with whatever the model sent. Never throws: a mistake of the model's, a
   * refusal and a failure are sentences in the result. At most `RESULT_LIMIT` characters.
   */
  run(input: unknown, signal: AbortSignal): Promise<ToolResult>;
}

export interface ToolResult {
  text: string;
  isError: boolean;
}

/** Longest result that goes to a model; longer ones are paged or cut with a notice. Characters. */
export const RESULT_LIMIT = 12_000;
