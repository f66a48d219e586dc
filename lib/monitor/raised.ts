/** An error as a program's log shows it. */
export interface Raised {
  /** Place in the lines of the log. */
  line: number;
  /** "ValueError", "Rust panic", "command not found". */
  type: string;
  /** Its first line. */
  message: string;
  /** Its further lines, for what frameworks write below. */
  more: readonly string[];
  /** Innermost last. */
  frames: readonly Frame[];
  /**
   * - `error`: the program broke.
   * - `echo`: it says only that another process broke.
   * - `line`: a line that looks like an error, of a shell or a tool.
   */
  kind: "error" | "echo" | "line";
}

export interface Frame {
  /** Base name of the file. */
  file: string;
  function: string;
  /** Of the program itself, not of a library. */
  own: boolean;
}

export function frameOf(path: string, name: string): Frame {
  const own =
    !/site-packages|dist-packages|[/\\]lib(64)?[/\\]python\d|^<frozen|^<string>|\.julia[/\\]/
      .test(path);
  return { file: path.split(/[/\\]/).at(-1) ?? path, function: name, own };
}

/** Errors of the processes that watch over others, and of those whose partner has died. */
const ECHOES = [
  /ChildFailedError$/,
  /ProcessRaisedException$/,
  /ProcessExitedException$/,
  /CalledProcessError$/,
  /DistBackendError$/,
  /RemoteTraceback$/,
  /BrokenPipeError$/,
  /BrokenProcessPool$/,
  /ConnectionResetError$/,
  /SystemExit$/,
  /KeyboardInterrupt$/,
];
const ECHO_MESSAGE =
  /\bNCCL (communicator was aborted|error: (remote process|unhandled system))|connection closed by peer|process group has been destroyed/i;

export function isEcho(type: string, message: string): boolean {
  return ECHOES.some((one) => one.test(type)) || ECHO_MESSAGE.test(message);
}
