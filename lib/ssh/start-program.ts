import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import type { ClientChannel } from "./ssh2.d.ts";
import { shownText } from "../base/shown.ts";
import type { SshLink } from "./open-link.ts";
import { markPattern, remoteCommand } from "./remote-command.ts";
import { NO_SESSION } from "./session-refused.ts";
import { SshError } from "./ssh-error.ts";
import type { SshEnd, SshStreamOptions } from "./ssh-host.ts";

/** A program that has been started, with nothing of the login shell's in its outputs. */
export interface Program {
  channel: ClientChannel;
  /** Its process, and its group, there. */
  pid: number;
  /** After its outputs were read. Never rejects. */
  ended: Promise<SshEnd>;
}

/** The server has no room for one more session; the program was not started. */
export class NoSessionError extends Error {}

/** The connection was gone before anything was sent: it is certain that nothing was started. */
export class NotSentError extends Error {}

/** A login shell that loads modules may take long; one that never comes to the program is told. Milliseconds. */
const START_MS = 60_000;

/** More than this a login shell does not print before a program starts. Bytes. */
const MOST_BEFORE = 1024 * 1024;

/** Rejects with NoSessionError or NotSentError, with SshError when the login shell does not start it, or when the link ends. */
export async function startProgram(
  link: SshLink,
  argv: readonly string[],
  options: SshStreamOptions,
  startMs = START_MS,
): Promise<Program> {
  const mark = `herd-${randomBytes(8).toString("hex")}`;
  const terminal = options.pty !== undefined;
  const { line, head } = remoteCommand(argv, { ...options, mark, terminal });
  const { channel, ended } = await openChannel(link, line, options).catch(async (error) => {
    throw await cutMeanwhile(link, error);
  });
  if (head !== undefined) channel.write(head);
  const pattern = markPattern(mark);
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    channel.close();
  }, startMs);
  try {
    const [pid] = await Promise.all([
      untilMark(channel, pattern),
      terminal ? undefined : untilMark(channel.stderr, pattern),
    ]);
    return { channel, pid: Number(pid), ended };
  } catch (error) {
    channel.resume();
    channel.stderr.resume();
    if (isLate) throw neverStarted(link, startMs);
    const end = await ended;
    channel.close();
    throw notStarted(link, end, error as Error);
  } finally {
    clearTimeout(late);
  }
}

function openChannel(
  link: SshLink,
  line: string,
  { pty }: SshStreamOptions,
): Promise<Pick<Program, "channel" | "ended">> {
  const { client, facts } = link;
  return new Promise((resolve, reject) => {
    const options = pty === undefined
      ? {}
      : { pty: { cols: pty.columns, rows: pty.rows, term: pty.term } };
    const fail = (error: Error) => reject(unopened(facts, error));
    try {
      client.exec(line, options, (error, channel) => {
        if (error) return fail(error);
        // The other side may close its end first; how the program ended says more.
        channel.on("error", () => {});
        // Now: on a bad line its beginning and its end come in one piece, before anybody could wait.
        resolve({ channel, ended: endOf(channel, link) });
      });
    } catch (error) {
      fail(error as Error);
    }
  });
}

/** When the link ends with the request on its way, nobody knows whether the program was started. */
async function cutMeanwhile({ ended, facts }: SshLink, error: Error): Promise<Error> {
  if (!(error instanceof SshError)) return error;
  const standing = Symbol();
  const cut = await Promise.race([ended, Promise.resolve(standing)]);
  if (cut === standing) return error;
  const why = (cut as SshError | undefined)?.message ?? "The connection was closed here";
  return new SshError("lost", facts.address, why, { passing: true });
}

/** ssh2 tells these apart by its words alone. */
function unopened({ address }: SshLink["facts"], error: Error): Error {
  if (/No response from server|Not connected/i.test(error.message)) {
    return new NotSentError(error.message);
  }
  if (NO_SESSION.test(error.message)) {
    return new NoSessionError(error.message);
  }
  const message = `Cannot start a program at "${address}": ${error.message}`;
  return new SshError("channel", address, message, { passing: true, cause: error });
}

function endOf(channel: ClientChannel, link: SshLink): Promise<SshEnd> {
  return new Promise((resolve) => {
    let said: SshEnd | undefined;
    channel.on("exit", (code: number | null, signal?: string) => {
      said = { exitCode: code ?? undefined, signal: signal ?? undefined, lost: undefined };
      // Otherwise a server may wait for the end of the input before it closes.
      channel.end();
    });
    const unknown = (lost: string) => ({ exitCode: undefined, signal: undefined, lost });
    channel.on(
      "close",
      () => resolve(said ?? unknown("the server closed it without saying how it ended")),
    );
    void link.ended.then((error) => {
      resolve(said ?? unknown(error?.message ?? "the connection was closed here"));
    });
  });
}

/** Reads up to the mark and puts back what follows. Rejects, with what was printed, when none comes. */
function untilMark(stream: Readable, pattern: RegExp): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let text = "";
    const finish = () => {
      stream.removeListener("readable", read);
      stream.removeListener("end", fail);
      stream.removeListener("close", fail);
    };
    const fail = () => {
      finish();
      reject(new Error(Buffer.from(text, "latin1").toString("utf8")));
    };
    function read() {
      for (let piece = stream.read(); piece !== null; piece = stream.read()) {
        text += Buffer.from(piece as Uint8Array).toString("latin1");
        const found = pattern.exec(text);
        if (found !== null) {
          finish();
          const rest = text.slice(found.index + found[0].length);
          if (rest !== "") stream.unshift(Buffer.from(rest, "latin1"));
          return resolve(found[1]);
        }
        if (text.length > MOST_BEFORE) return fail();
      }
    }
    stream.on("readable", read);
    stream.on("end", fail);
    stream.on("close", fail);
    read();
  });
}

function neverStarted({ facts }: SshLink, startMs: number): SshError {
  const where = `${facts.user}@${facts.address}`;
  return new SshError(
    "channel",
    facts.address,
    `Cannot start a program at "${where}": the login shell did not come to it within ${
      Math.round(startMs / 1000)
    } s`,
    {
      hint: "A start file there, such as ~/.bashrc, may read the input or start another shell: " +
        `does this end: ssh ${where} true`,
    },
  );
}

function notStarted({ facts }: SshLink, end: SshEnd, printed: Error): SshError {
  const where = `"${facts.user}@${facts.address}"`;
  if (end.lost !== undefined) {
    return new SshError("lost", facts.address, `The connection to ${where} was cut: ${end.lost}`, {
      passing: true,
    });
  }
  const words = shownText(printed.message).replace(/\s+/g, " ").trim().slice(0, 300);
  return new SshError(
    "channel",
    facts.address,
    `Cannot start a program at ${where}: the login shell ended with ${
      end.exitCode ?? end.signal
    } before it${words === "" ? "" : ` and said "${words}"`}`,
    { hint: `Does this work: ssh ${facts.user}@${facts.address} true` },
  );
}
