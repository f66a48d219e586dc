import { randomUUID } from "node:crypto";
import { type ChildEnd, startPiped } from "../base/piped-child.ts";
import type { CommandOutput } from "./command-output.ts";
import { endMarked, MARK } from "./end-marked.ts";

/** What was written may be on its way when the program ends. Milliseconds. */
const LEFT_MS = 1_000;
/** Memory of ours is not the agent's to fill. Characters of an answer that are shown while it comes. */
const LONGEST = 200_000;

/** Runs it to its end; nothing of it is left then, nor when this process dies meanwhile. */
export async function runProgram(
  argv: readonly string[],
  run: {
    folder: string;
    env: Readonly<Record<string, string>>;
    input: string;
    output: CommandOutput;
    graceMs: number | undefined;
    signal: AbortSignal;
    /** All of its standard output so far. */
    onText(text: string): void;
    /** It wrote something else: a sign of life. */
    onSign(): void;
  },
): Promise<ChildEnd> {
  const { output, signal } = run;
  const mark = randomUUID();
  const decoder = new TextDecoder();
  let text = "";
  const child = startPiped(argv, {
    cwd: run.folder,
    env: { ...run.env, [MARK]: mark },
    guarded: true,
    onOutput(bytes) {
      output.add("stdout", bytes);
      if (text.length >= LONGEST) return run.onSign();
      text += decoder.decode(bytes, { stream: true });
      run.onText(text);
    },
    onErrorOutput(bytes) {
      output.add("stderr", bytes);
      run.onSign();
    },
    ...(run.graceMs === undefined ? {} : { graceMs: run.graceMs }),
  });
  const stop = () => void child.end();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  else {
    child.write(run.input);
    child.closeInput();
  }
  const end = await child.ended;
  signal.removeEventListener("abort", stop);
  // Whoever shares its outputs is gone then, and all that it wrote is here.
  await endMarked(mark);
  await within(child.drained, LEFT_MS);
  await child.end();
  return end;
}

/** One that hid itself may hold the outputs for ever. */
async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([work, new Promise((resolve) => timer = setTimeout(resolve, ms))]);
  clearTimeout(timer);
}
