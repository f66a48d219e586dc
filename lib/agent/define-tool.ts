import { UserError } from "../base/errors.ts";
import { explain, kindOf } from "../base/explain.ts";
import { z } from "../base/schema.ts";
import { cleanText } from "./quote-data.ts";
import { mendInput } from "./mend-input.ts";
import { RESULT_LIMIT } from "./tool.ts";
import type { Tool, ToolResult } from "./tool.ts";
import { describeMistake } from "./tool-mistake.ts";
import type { SchemaNode } from "./tool-mistake.ts";

export interface ToolDefinition<Shape extends z.ZodRawShape> {
  name: string;
  description: string;
  /** Made with `z.strictObject`: an argument that a tool does not know is a mistake, never ignored. */
  input: z.ZodObject<Shape>;
  acts: boolean;
  repeatable?: boolean;
  /**
   * Its result in words, bounded by itself where that can be. Mistakes and
   * refusals are thrown: UserError, NothingError, RefusedError.
   */
  run(input: z.infer<z.ZodObject<Shape>>, signal: AbortSignal): Promise<string> | string;
}

/** A tool that checks what the model sent, answers mistakes in one sentence and never throws. */
export function defineTool<Shape extends z.ZodRawShape>(definition: ToolDefinition<Shape>): Tool {
  const { name, description, input, acts } = definition;
  const schema = schemaOf(input);

  function read(sent: unknown) {
    const checked = input.safeParse(mendInput(sent, schema));
    return checked.success
      ? { input: checked.data }
      : { mistake: describeMistake(checked.error.issues, { sent, schema, tool: name }) };
  }

  return {
    name,
    description,
    schema: schema as Readonly<Record<string, unknown>>,
    acts,
    ...(definition.repeatable === undefined ? {} : { repeatable: definition.repeatable }),
    read,
    async run(sent, signal) {
      try {
        signal.throwIfAborted();
        const checked = read(sent);
        if ("mistake" in checked) return failure(checked.mistake);
        const work = Promise.resolve(definition.run(checked.input, signal));
        // What acts is waited for: an act whose outcome nobody hears of would be done again.
        const text = acts ? await work : await untilAborted(work, signal);
        return { text: cutResult(text), isError: false };
      } catch (error) {
        return failure(sentenceOf(error, signal));
      }
    },
  };
}

function schemaOf(input: z.ZodType): SchemaNode {
  const { $schema: _, ...schema } = z.toJSONSchema(input, {
    io: "input",
    override: ({ jsonSchema }) => {
      // Bounds of JavaScript's numbers say nothing to a model and are paid for in every call.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return schema as SchemaNode;
}

function failure(text: string): ToolResult {
  return { text: cutResult(cleanText(text)), isError: true };
}

function sentenceOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "Stopped: this turn was ended before the tool had finished";
  if (kindOf(error) === "unexpected") {
    return "The tool failed by a fault of herd's own: do not retry";
  }
  // Mistakes in a file come with places and hints below; here they follow in the same line.
  if (error instanceof UserError && error.mistakes.length > 0) {
    return explain(error, "terminal").replace(/\n+\s*Hint: /, ". ").replace(/\n\s*/g, "; ");
  }
  const { message, hint } = explain(error, "json").error;
  return hint === null ? message : `${message}. ${hint}`;
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

const NOTICE = "\n(Cut here: ask for less, or for the next page with offset and limit.)";

/** The backstop for a tool whose result is longer than it should be; a quotation stays closed. */
export function cutResult(text: string): string {
  if (text.length <= RESULT_LIMIT) return text;
  const kept = text.slice(0, RESULT_LIMIT - NOTICE.length - 60).replace(/[\ud800-\udbff]$/, "");
  const opened = kept.lastIndexOf(' mark="');
  const [, kind, mark] = /<(data|message|owner)$/.exec(kept.slice(0, Math.max(0, opened))) === null
    ? []
    : /<(data|message|owner) mark="([0-9a-f]+)"/.exec(kept.slice(opened - 8)) ?? [];
  return (kind === undefined ? kept : `${kept}\n</${kind} mark="${mark}">`) + NOTICE;
}
