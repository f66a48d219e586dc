import { createPaint, type Paint, wantsColor } from "./colors.ts";
import { UserError } from "./errors.ts";
import { jsonPieces } from "./json-text.ts";
import { createLiveRegion, type LiveRegion } from "./live.ts";
import type { Output } from "./output.ts";

/** All that a command may say, and the only way to ask. */
export interface Terminal {
  /** Whether people look at standard output and the terminal can redraw. */
  readonly interactive: boolean;
  /** Whether people look at standard error and a line there can be erased again. */
  readonly errorInteractive: boolean;
  /** Cells per line of standard output; Infinity when it goes to a file or a pipe. */
  readonly columns: number;
  /** Colours for `print`. */
  readonly paint: Paint;
  /** Colours for `printError`. */
  readonly errorPaint: Paint;
  /** One line (or several) to standard output. */
  print(text?: string): void;
  /** One line (or several) to standard error: notices, warnings, errors. */
  printError(text: string): void;
  /** Text to standard output as it is, for streams such as `tail -f`. */
  write(text: string): void;
  /** The same to standard error. */
  writeError(text: string): void;
  /**
   * A line on standard error until the function it gives back is called or anything
   * else is shown; nothing where it could not be erased, or where a region says more.
   */
  passing(text: string): () => void;
  /** One document to standard output, indented by 2, with a newline; generators count as arrays. */
  json(value: unknown): void;
  /** A region at the bottom that is redrawn in place; what is printed meanwhile goes above it. */
  live(): LiveRegion;
  /** What the user types, without the newline; "" at the end of input. */
  ask(question: string, options: AskOptions): Promise<string>;
  /** Whether the user answered yes; anything else is no. */
  confirm(question: string, options: AskOptions): Promise<boolean>;
  /** Ends a live region and shows the cursor again. */
  close(): void;
}

export interface AskOptions {
  /** The option that answers beforehand, named when nobody can be asked, such as `--yes`. */
  flag: string;
  signal?: AbortSignal;
}

export interface TerminalParts {
  env: Readonly<Record<string, string | undefined>>;
  stdout: Output;
  stderr: Output;
  /** Reads one answer after showing the question; undefined when nobody can be asked. */
  question: ((text: string, signal?: AbortSignal) => Promise<string>) | undefined;
}

export function createTerminal(parts: TerminalParts): Terminal {
  const { env, stdout, stderr } = parts;
  const interactive = stdout.isTerminal && env["TERM"] !== "dumb";
  const errorInteractive = stderr.isTerminal && env["TERM"] !== "dumb";
  let region: LiveRegion | undefined;
  let erasePassing = () => {};

  function passing(text: string): () => void {
    if (!errorInteractive || region !== undefined) return () => {};
    erasePassing();
    stderr.write(text);
    const erase = () => {
      if (erasePassing !== erase) return;
      erasePassing = () => {};
      stderr.write("\r\x1b[K");
    };
    erasePassing = erase;
    return erase;
  }

  function above(output: Output, text: string): void {
    erasePassing();
    if (region === undefined || !output.isTerminal) return output.write(text);
    region.erase();
    output.write(text);
    region.redraw();
  }

  async function ask(question: string, { flag, signal }: AskOptions): Promise<string> {
    if (parts.question === undefined) {
      throw new UserError(`Cannot ask "${question}": standard input is no terminal`, {
        hint: `Answer beforehand with ${flag}`,
      });
    }
    erasePassing();
    return await parts.question(`${question} `, signal);
  }

  return {
    interactive,
    errorInteractive,
    get columns() {
      return columnsOf(stdout, env);
    },
    paint: createPaint(wantsColor(env, stdout.isTerminal)),
    errorPaint: createPaint(wantsColor(env, stderr.isTerminal)),
    print: (text = "") => above(stdout, `${text}\n`),
    printError: (text) => above(stderr, `${text}\n`),
    write: (text) => above(stdout, text),
    writeError: (text) => above(stderr, text),
    passing,
    json(value) {
      erasePassing();
      for (const piece of jsonPieces(value)) stdout.write(piece);
      stdout.write("\n");
    },
    live() {
      erasePassing();
      region?.end();
      region = createLiveRegion(stdout, interactive, () => region = undefined);
      return region;
    },
    ask,
    confirm: async (question, options) =>
      /^y(es)?$/i.test((await ask(`${question} [y/N]`, options)).trim()),
    close() {
      erasePassing();
      region?.end();
    },
  };
}

function columnsOf(output: Output, env: TerminalParts["env"]): number {
  const size = output.size();
  if (size !== undefined) return size.columns;
  const told = Number(env["COLUMNS"]);
  if (Number.isInteger(told) && told > 0) return told;
  return output.isTerminal ? 80 : Infinity;
}
