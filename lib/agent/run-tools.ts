import type { Clock } from "../base/clock.ts";
import { nearest } from "../base/text.ts";
import type { ThinkRequest } from "./agent.ts";
import type { ToolCall } from "./model-call.ts";
import { RESULT_LIMIT, type Tool, type ToolResult } from "./tool.ts";

/** A tool that runs longer is given up: submitting a large sweep on a slow cluster takes minutes. */
export const TOOL_LIMIT_MS = 5 * 60_000;
/** From this time on, one and the same call is not run any more. */
const REPEATS = 3;
/** Calls of one answer that are run. */
const CALLS_AT_ONCE = 24;

/**
 * Runs the tool calls of one turn. Every call gets a result, in order, whatever happens;
 * calls that change something run one after the other, those between them side by side.
 */
export function createToolRunner(
  request: Pick<ThinkRequest, "tools" | "signal" | "onTool">,
  { clock, limitMs }: { clock: Clock; limitMs: number },
) {
  const tools = new Map(request.tools.map((tool) => [tool.name, tool]));
  const seen = new Map<string, number>();

  async function answer(call: ToolCall, place: number): Promise<ToolResult> {
    const started = clock.now();
    const refused = refusal(call, place);
    const tool = tools.get(call.name);
    const result = refused !== undefined || tool === undefined
      ? { text: refused ?? "", isError: true }
      : await runOne(tool, call.input, request.signal, { clock, limitMs });
    // What was read before something changed may read differently now.
    if (tool?.acts && !result.isError) forgetReads();
    const shown = { ...result, text: fitted(result.text) };
    tell(call, shown, clock.now() - started);
    return shown;
  }

  function refusal(call: ToolCall, place: number): string | undefined {
    const { name } = call;
    if (call.problem !== undefined) return call.problem;
    if (!tools.has(name)) {
      const close = nearest(name, tools.keys());
      const other = close === undefined
        ? `the tools are ${[...tools.keys()].sort().join(", ") || "none"}`
        : `did you mean ${close}`;
      return `Cannot run ${JSON.stringify(name.slice(0, 80))}: there is no such tool, ${other}`;
    }
    if (place >= CALLS_AT_ONCE) {
      return `Cannot run ${name}: more than ${CALLS_AT_ONCE} calls in one answer, ` +
        "send it again later if it is still needed";
    }
    if (tools.get(name)?.repeatable === true) return undefined;
    const key = `${name} ${stableJson(call.input)}`;
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    if (times < REPEATS) return undefined;
    return `Not run: ${name} was called ${times - 1} times with this very input already, ` +
      "use what it answered, call it differently, or give your final answer";
  }

  function forgetReads(): void {
    for (const key of seen.keys()) {
      if (tools.get(key.slice(0, key.indexOf(" ")))?.acts === false) seen.delete(key);
    }
  }

  function tell(call: ToolCall, result: ToolResult, ms: number): void {
    const { name, input } = call;
    try {
      request.onTool?.({ name, input, result: result.text, isError: result.isError, ms });
    } catch {
      // Who listens does not stop the work.
    }
  }

  return {
    async run(calls: readonly ToolCall[]): Promise<ToolResult[]> {
      const results: ToolResult[] = [];
      for (let from = 0; from < calls.length;) {
        let to = from + 1;
        if (!acts(calls[from])) { while (to < calls.length && !acts(calls[to])) to++; }
        const group = calls.slice(from, to).map((call, i) => answer(call, from + i));
        results.push(...await Promise.all(group));
        from = to;
        if (request.signal.aborted) break;
      }
      return results;
    },
  };

  function acts(call: ToolCall | undefined): boolean {
    return call !== undefined && tools.get(call.name)?.acts !== false;
  }
}

async function runOne(
  tool: Tool,
  input: unknown,
  signal: AbortSignal,
  { clock, limitMs }: { clock: Clock; limitMs: number },
): Promise<ToolResult> {
  const ended = new AbortController();
  const abort = () => ended.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const error = (text: string): ToolResult => ({ text, isError: true });
  const late = async (): Promise<ToolResult> => {
    try {
      await clock.sleep(limitMs, ended.signal);
    } catch {
      return error(`${tool.name} was interrupted`);
    }
    const effect = tool.acts ? ", it may still have had its effect: look before you try again" : "";
    return error(`${tool.name} was given up after ${Math.round(limitMs / 1000)} s${effect}`);
  };
  try {
    return await Promise.race([tool.run(input, ended.signal), late()]);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return error(`${tool.name} failed: ${why}`);
  } finally {
    signal.removeEventListener("abort", abort);
    ended.abort();
  }
}

/** At most `RESULT_LIMIT` characters, with a notice of what is missing. */
export function fitted(text: string): string {
  if (text.length <= RESULT_LIMIT) return text.toWellFormed();
  const notice = `\n[cut: this was the beginning of ${text.length} characters, ask for less]`;
  return text.slice(0, RESULT_LIMIT - notice.length).toWellFormed() + notice;
}

/** Equal for equal values, in whatever order their keys stand. */
function stableJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part: unknown) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
        : part,
  ) ?? "";
}
