import type { SFTPWrapper } from "./ssh2.d.ts";
import type { SshLink } from "./open-link.ts";
import type { SessionSlots } from "./session-slots.ts";
import type { SftpChannel } from "./sftp-request.ts";
import { SshError } from "./ssh-error.ts";

/** One SFTP channel, opened when first needed and given up when somebody else needs its place. */
export interface SftpSession {
  /** Rejects with SshError when there is no way to the host or it has no SFTP. */
  use<T>(work: (channel: SftpChannel) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export interface SftpParts {
  slots: SessionSlots;
  link(signal?: AbortSignal): Promise<SshLink>;
}

interface Opened extends SftpChannel {
  users: number;
  close(): void;
}

export function createSftpSession({ slots, link }: SftpParts): SftpSession {
  let opened: Promise<Opened> | undefined;

  async function open(signal: AbortSignal | undefined): Promise<Opened> {
    const way = await link(signal);
    const giveBack = await slots.take(signal);
    const sftp = await openChannel(way).catch((error) => {
      giveBack();
      throw error;
    });
    const mine = opened;
    const gone = new AbortController();
    const close = () => {
      if (gone.signal.aborted) return;
      gone.abort(new Error("No response from server"));
      if (opened === mine) opened = undefined;
      stopHearing();
      giveBack();
      sftp.end();
    };
    const one = { sftp, cut: gone.signal, users: 0, close };
    const stopHearing = slots.onWanted(() => one.users === 0 && close());
    sftp.on("close", close);
    sftp.on("error", close);
    void way.ended.then(close);
    return one;
  }

  return {
    async use(work, signal) {
      const mine = opened ??= open(signal);
      let one: Opened;
      try {
        one = await mine;
      } catch (error) {
        if (opened === mine) opened = undefined;
        throw error;
      }
      one.users++;
      try {
        return await work(one);
      } finally {
        if (--one.users === 0 && slots.wanted) one.close();
      }
    },
  };
}

function openChannel({ client, facts }: SshLink): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(
        new SshError(
          "channel",
          facts.address,
          `Cannot open SFTP at "${facts.address}": ${error.message}`,
          { hint: "The server must have an sftp subsystem; its operators can say why not" },
        ),
      );
    try {
      client.sftp((error, sftp) => error ? fail(error) : resolve(sftp));
    } catch (error) {
      fail(error as Error);
    }
  });
}
