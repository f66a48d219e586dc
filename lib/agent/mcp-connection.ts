import type { Clock } from "../base/clock.ts";
import { answerOf } from "./mcp-answer.ts";
import { LinkError, openLink } from "./mcp-link.ts";
import type { McpLink } from "./mcp-link.ts";
import { readOffer } from "./mcp-offer.ts";
import type { OfferedTool } from "./mcp-offer.ts";
import { isRecord } from "./mcp-schema.ts";
import { fitToShow } from "./mcp-settings.ts";
import type { ReadyServer } from "./mcp-settings.ts";
import { LateError, withTimeLimit } from "./mcp-time-limit.ts";
import type { ToolResult } from "./tool.ts";

/** How long a server may take, and rest. Milliseconds. */
export const TIMES = {
  /** To start, shake hands and list its tools: `npx` and `uvx` may download first. */
  connect: 60_000,
  call: 60_000,
  /** To answer a ping after a call that took too long. */
  ping: 5_000,
  /** First pause after a failure; doubled each time. */
  firstPause: 1_000,
  longestPause: 5 * 60_000,
  /** Without a call for so long it is closed until it is needed: a quiet night costs no memory. */
  idle: 10 * 60_000,
};

/** Pages of `tools/list`; a server that never ends its list is cut off. */
const MOST_PAGES = 20;

/** One server of somebody else's: connected when it is needed, and again after it failed. */
export interface McpConnection {
  readonly server: ReadyServer;
  /** What it offered when it was last reached. */
  offered(): readonly OfferedTool[];
  /** Connects if need be, and reads its tools. Why it cannot, as a sentence; never throws. */
  reach(signal: AbortSignal): Promise<string | undefined>;
  /** Whether `reach` would do something now. */
  wantsReach(): boolean;
  /** Never throws. */
  call(tool: string, input: unknown, signal: AbortSignal): Promise<ToolResult>;
  close(): Promise<void>;
}

export interface ConnectionParts {
  server: ReadyServer;
  clock: Clock;
  /** Told once per failure that is another one than the last. */
  onProblem(message: string): void;
}

export function createConnection({ server, clock, onProblem }: ConnectionParts): McpConnection {
  const life = new AbortController();
  const links = new Set<McpLink>();
  let link: McpLink | undefined;
  let reaching: Promise<string | undefined> | undefined;
  let offer: readonly OfferedTool[] = [];
  let listed = false;
  let failures = 0;
  let notBefore = 0;
  let told = "";
  let busy = 0;
  let resting: AbortController | undefined;

  function sentence(why: string): string {
    return `Cannot use the tool server "${server.name}": ${fitToShow(why, server.secrets)}`;
  }

  function tell(message: string): void {
    if (message === told || life.signal.aborted) return;
    told = message;
    onProblem(message);
  }

  function failed(why: string): string {
    failures += 1;
    const pause = Math.min(TIMES.firstPause * 2 ** (failures - 1), TIMES.longestPause);
    notBefore = clock.now() + pause;
    const message = sentence(why);
    tell(message);
    return message;
  }

  async function drop(): Promise<void> {
    const old = link;
    link = undefined;
    if (old === undefined) return;
    await old.close();
    links.delete(old);
  }

  async function connect(): Promise<string | undefined> {
    await drop();
    const limits = { ms: TIMES.connect, clock, signal: life.signal };
    try {
      await withTimeLimit(async (signal) => {
        const opened = await openLink(server, { signal, onToolsChanged: () => listed = false });
        links.add(opened);
        // Too late: nobody waits for it any more.
        if (signal.aborted) return await opened.close();
        link = opened;
        await list(opened, signal);
      }, limits);
      failures = 0;
      return undefined;
    } catch (error) {
      await drop();
      return life.signal.aborted ? sentence("it was closed") : failed(whyOf(error));
    }
  }

  async function list(from: McpLink, signal: AbortSignal): Promise<void> {
    const items: unknown[] = [];
    let cursor: unknown;
    for (let page = 0; page < MOST_PAGES; page++) {
      const params = typeof cursor === "string" ? { cursor } : {};
      const answer = await from.request("tools/list", params, signal);
      if (!Array.isArray(answer["tools"])) {
        throw new LinkError("broken", "it answers with what is no list of tools");
      }
      items.push(...answer["tools"]);
      cursor = answer["nextCursor"];
      if (typeof cursor !== "string" || cursor === "") break;
    }
    const { tools, problems } = readOffer(items, server.tools);
    offer = tools;
    listed = true;
    if (problems.length === 0) told = "";
    else tell(`About the tool server "${server.name}": ${fitToShow(problems.join("; "), [])}`);
  }

  async function reachOnce(): Promise<string | undefined> {
    if (link?.open() !== true) {
      const wait = notBefore - clock.now();
      if (wait > 0) return `${told}; the next try is in ${Math.ceil(wait / 1000)} s`;
      return await connect();
    }
    if (listed) return undefined;
    const current = link;
    const limits = { ms: TIMES.call, clock, signal: life.signal };
    try {
      await withTimeLimit((signal) => list(current, signal), limits);
      return undefined;
    } catch (error) {
      await drop();
      return failed(whyOf(error));
    }
  }

  async function reach(signal: AbortSignal): Promise<string | undefined> {
    if (life.signal.aborted) return sentence("it was closed");
    reaching ??= reachOnce().finally(() => reaching = undefined);
    return await unlessAborted(reaching, signal) ?? undefined;
  }

  /** Waits, but no longer than the one who asks does. */
  async function unlessAborted(
    promise: Promise<string | undefined>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    let stop = () => {};
    const aborted = new Promise<string>((resolve) => {
      stop = () => resolve(sentence("the call was interrupted"));
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
    });
    try {
      return await Promise.race([promise, aborted]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async function attempt(
    tool: string,
    input: object,
    signal: AbortSignal,
  ): Promise<ToolResult | "again"> {
    const why = await reach(signal);
    if (why !== undefined) return refused(why);
    const current = link;
    if (current === undefined) return refused(sentence("it went away"));
    try {
      const result = await withTimeLimit(
        (limited) => current.request("tools/call", { name: tool, arguments: input }, limited),
        { ms: TIMES.call, clock, signal },
      );
      return answerOf(server.name, result);
    } catch (error) {
      return await afterFailure(error, current, signal);
    }
  }

  async function afterFailure(
    error: unknown,
    current: McpLink,
    signal: AbortSignal,
  ): Promise<ToolResult | "again"> {
    if (signal.aborted) return refused(sentence("the call was interrupted"));
    if (error instanceof LateError) {
      const alive = await answersPing(current);
      const why = `it did not answer within ${TIMES.call / 1000} s`;
      if (alive) return refused(`${sentence(why)}; whether it did something is not known`);
      if (link === current) await drop();
      return refused(failed(why));
    }
    if (error instanceof LinkError && error.kind === "answered") {
      return {
        ...answerOf(server.name, { content: [{ type: "text", text: error.message }] }),
        isError: true,
      };
    }
    if (link === current) await drop();
    if (error instanceof LinkError && error.kind === "expired") return "again";
    return refused(failed(whyOf(error)));
  }

  async function answersPing(current: McpLink): Promise<boolean> {
    try {
      const limits = { ms: TIMES.ping, clock, signal: life.signal };
      await withTimeLimit((signal) => current.request("ping", {}, signal), limits);
      return true;
    } catch (error) {
      return error instanceof LinkError && error.kind === "answered";
    }
  }

  function startResting(): void {
    const rest = new AbortController();
    resting = rest;
    clock.sleep(TIMES.idle, rest.signal).then(
      () => busy === 0 && resting === rest ? drop() : undefined,
    ).catch(() => {});
  }

  async function inUse<T>(use: () => Promise<T>): Promise<T> {
    busy += 1;
    resting?.abort();
    try {
      return await use();
    } finally {
      busy -= 1;
      if (busy === 0 && !life.signal.aborted) startResting();
    }
  }

  return {
    server,
    offered: () => offer,
    reach: (signal) => inUse(() => reach(signal)),
    wantsReach: () =>
      !life.signal.aborted && !listed && reaching === undefined && clock.now() >= notBefore,
    call: (tool, input, signal) =>
      inUse(async () => {
        const given = input ?? {};
        if (!isRecord(given)) {
          return refused(`Cannot call "${tool}": its input must be an object with named arguments`);
        }
        const first = await attempt(tool, given, signal);
        // A session that expired did nothing, so the call may be made in a new one.
        const second = first === "again" ? await attempt(tool, given, signal) : first;
        return second === "again"
          ? refused(failed("it knows no such address or session (404)"))
          : second;
      }),
    async close() {
      life.abort(new Error("It was closed"));
      resting?.abort();
      await reaching;
      await drop();
      await Promise.all([...links].map((one) => one.close()));
    },
  };
}

function whyOf(error: unknown): string {
  if (error instanceof LateError) return `it did not answer within ${error.ms / 1000} s`;
  return error instanceof Error ? error.message : String(error);
}

function refused(text: string): ToolResult {
  return { text, isError: true };
}
