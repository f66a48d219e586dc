import { UserError } from "../base/errors.ts";
import type { SshPlace } from "./ssh-host.ts";
import { wordBytes } from "../base/word-bytes.ts";

/** What is sent to have a program started. */
export interface RemoteCommand {
  /**
   * For the login shell, whichever it is: bash, dash, zsh, tcsh and fish all read it as
   * `exec`, `/bin/sh`, `-c` and one word in single quotes that has nothing in it which any
   * of them looks at (no quote, no `!`, no newline, a backslash only before a digit).
   */
  line: string;
  /** The program's own words when they are too long for a line: sent first on the input. */
  head: Uint8Array | undefined;
}

export interface CommandOptions extends SshPlace {
  /** Letters and digits; the marks that the outputs begin with hold it. */
  mark: string;
  /** Output and error output are one. */
  terminal: boolean;
}

/** Linux takes 128 KiB per word, and the whole line is one of the login shell's. Bytes. */
const LONGEST_LINE = 96 * 1024;

/**
 * How a program is started so that no shell interprets a word of it: each byte that is
 * not plain is written as an octal number, which `printf` turns back, and the words stay
 * values from there on. Before the program writes anything, both outputs get a mark, as
 * login shells print things of their own; the one on the output tells the program's id.
 */
export function remoteCommand(argv: readonly string[], options: CommandOptions): RemoteCommand {
  const program = argv[0] ?? "";
  if (program === "" || program.startsWith("-")) {
    throw new UserError(`Cannot run "${program}" there: it is no name of a program`);
  }
  const script = scriptOf(argv, options);
  const line = `exec /bin/sh -c '${script}'`;
  if (line.length <= LONGEST_LINE) return { line, head: undefined };
  const head = new TextEncoder().encode(script);
  // One byte a time, since nothing behind the script may be taken off the program's input.
  const load = `eval "$(dd bs=1 count=${head.length} 2>/dev/null)"`;
  return { line: `exec /bin/sh -c '${load}'`, head };
}

/** What a mark looks like on the output: `[MARK PID]`, and `[MARK]` on the error output. */
export function markPattern(mark: string): RegExp {
  return new RegExp(`\\[${mark}(?: (\\d+))?\\]`);
}

function scriptOf(
  argv: readonly string[],
  { cwd, env = {}, unset = [], mark, terminal }: CommandOptions,
): string {
  const parts = [
    ...unset.map(taken),
    ...Object.entries(env).map(([name, value]) => exported(name, value)),
    ...(cwd === undefined ? [] : [`${held(cwd)}cd -- "$_h" || exit 126;`]),
    "set --;",
    ...argv.map((word) =>
      isPlain(word) ? `set -- "$@" ${word};` : `${held(word)}set -- "$@" "$_h";`
    ),
    "unset _h;",
    `printf "[${mark} %s]" "$$";`,
    ...(terminal ? [] : [`printf "[${mark}]" >&2;`]),
    'exec "$@"',
  ];
  return parts.join("");
}

function isPlain(word: string): boolean {
  return /^[A-Za-z0-9_./:,@%+][A-Za-z0-9_./:,@%+=-]*$/.test(word);
}

/** Puts a value into `_h`. The full stop keeps newlines at its end, which `$( )` would take off. */
function held(value: string): string {
  if (value.includes("\0")) {
    throw new UserError("Cannot pass a word with a zero byte to a program: no system can");
  }
  const octal = [...wordBytes(value)]
    .map((byte) => isPlainByte(byte) ? String.fromCharCode(byte) : `\\0${digits(byte)}`)
    .join("");
  return `_h=$(printf %b. "${octal}");_h=\${_h%.};`;
}

function digits(byte: number): string {
  return byte.toString(8).padStart(3, "0");
}

/** Only letters and digits, so that nothing depends on what a shell makes of a sign. */
function isPlainByte(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122);
}

function exported(name: string, value: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new UserError(`Cannot set the variable "${name}": it is no name of one`);
  }
  return `${held(value)}${name}=$_h;export ${name};`;
}

/** `command`: a shell may have made one read-only, and would end at it. */
function taken(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new UserError(`Cannot unset the variable "${name}": it is no name of one`);
  }
  return `command unset ${name} 2>/dev/null;`;
}
