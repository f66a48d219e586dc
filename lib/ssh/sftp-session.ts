import type { SFTPWrapper } from "ssh2";
import type { SshLink } from "./open-link.ts";
import type { SessionSlots } from "./session-slots.ts";
import { SshError } from "./ssh-error.ts";

/** One SFTP channel, opened when first needed and given up when somebody else needs its place. */
export interface SftpSession {
  /** Rejects with SshError when there is no way to the host or it has no SFTP. */
  use<T>(work: (sftp: SFTPWrapper) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export interface SftpParts {
  slots: SessionSlots;
  link(signal?: AbortSignal): Promise<SshLink>;
}

interface Opened {
  link: SshLink;
  sftp: SFTPWrapper;
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
    let closed = false;
    const close = () => {
      if (closed) return;
      closed = true;
      if (opened === mine) opened = undefined;
      stopHearing();
      giveBack();
      sftp.end();
    };
    const one = { link: way, sftp, users: 0, close };
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
        return await work(one.sftp);
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
