import type { SFTPWrapper } from "./ssh2.d.ts";
import type { Clock } from "../base/clock.ts";
import { inTurn } from "./in-turn.ts";
import type { SshLink } from "./open-link.ts";
import type { SessionSlots } from "./session-slots.ts";
import type { SftpChannel } from "./sftp-request.ts";
import { SshError } from "./ssh-error.ts";
import { NO_SESSION } from "./session-refused.ts";

/** Within this after it failed a request, a connection that was cut is seen to be. Milliseconds. */
const CUT_MS = 200;

/** One SFTP channel, opened when first needed and given up when somebody else needs its place. */
export interface SftpSession {
  /** Rejects with SshError when there is no way to the host or it has no SFTP. */
  use<T>(work: (channel: SftpChannel) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export interface SftpParts {
  slots: SessionSlots;
  clock: Clock;
  link(signal?: AbortSignal): Promise<SshLink>;
}

interface Opened extends SftpChannel {
  close(): void;
}

/** From the first that wants it: one that is about to begin must not find it closed. */
interface Session {
  users: number;
  ready: Promise<Opened>;
}

export function createSftpSession({ slots, link, clock }: SftpParts): SftpSession {
  let opened: Session | undefined;

  function begin(signal: AbortSignal | undefined): Session {
    const session: Session = { users: 0, ready: Promise.resolve() as never };
    session.ready = open(session, signal);
    return session;
  }

  async function open(mine: Session, signal: AbortSignal | undefined): Promise<Opened> {
    const way = await link(signal);
    const { opened: sftp, giveBack } = await openInTurn(way, signal);
    const gone = new AbortController();
    const close = () => {
      if (gone.signal.aborted) return;
      gone.abort(new Error("No response from server"));
      if (opened === mine) opened = undefined;
      stopHearing();
      giveBack();
      sftp.end();
    };
    const one = { sftp, cut: gone.signal, close };
    const stopHearing = slots.onWanted(() => mine.users === 0 && close());
    sftp.on("close", close);
    sftp.on("error", close);
    void way.ended.then(close);
    return one;
  }

  async function openInTurn(
    way: SshLink,
    signal: AbortSignal | undefined,
  ): Promise<{ opened: SFTPWrapper; giveBack(): void }> {
    const isRefusal = (error: unknown) => NO_SESSION.test((error as Error).message);
    try {
      return await inTurn(() => openChannel(way), { slots, clock, signal, isRefusal });
    } catch (error) {
      signal?.throwIfAborted();
      throw await cutMeanwhile(way) ?? unopened(way, error as Error);
    }
  }

  /** ssh2 words the end of a connection as a subsystem that cannot be started. */
  async function cutMeanwhile({ ended, facts }: SshLink): Promise<SshError | undefined> {
    const stands = Symbol();
    const end = await Promise.race([ended, clock.sleep(CUT_MS).then(() => stands)]);
    if (end === stands) return undefined;
    const why = (end as SshError | undefined)?.message ?? "The connection was closed here";
    return new SshError("lost", facts.address, why, { passing: true });
  }

  return {
    async use(work, signal) {
      const mine = opened ??= begin(signal);
      mine.users++;
      let one: Opened | undefined;
      try {
        one = await mine.ready;
        return await work(one);
      } catch (error) {
        if (one === undefined && opened === mine) opened = undefined;
        throw error;
      } finally {
        if (--mine.users === 0 && slots.wanted) one?.close();
      }
    },
  };
}

function openChannel({ client }: SshLink): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    try {
      client.sftp((error, sftp) => error ? reject(error) : resolve(sftp));
    } catch (error) {
      reject(error);
    }
  });
}

function unopened({ facts }: SshLink, error: Error): SshError {
  return new SshError(
    "channel",
    facts.address,
    `Cannot open SFTP at "${facts.address}": ${error.message}`,
    { hint: "The server must have an sftp subsystem; its operators can say why not" },
  );
}
