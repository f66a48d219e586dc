import type { SFTPWrapper } from "./ssh2.d.ts";
import { sftpFailure } from "./sftp-failure.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** An SFTP channel, and when it is gone: ssh2 leaves some requests without an answer then. */
export interface SftpChannel {
  sftp: SFTPWrapper;
  cut: AbortSignal;
}

export type Done<T> = (error: Error | null | undefined, value: T) => void;

/** One request as a promise; `what` such as "read" is for the error. Rejects with RemoteFileError. */
export async function sftpRequest<T = void>(
  { sftp, cut }: SftpChannel,
  what: string,
  path: string,
  request: (sftp: SFTPWrapper, done: Done<T>) => void,
): Promise<T> {
  try {
    return await unlessAborted(
      new Promise<T>((resolve, reject) => {
        request(sftp, (error, value) => error ? reject(error) : resolve(value));
      }),
      cut,
    );
  } catch (error) {
    throw sftpFailure(what, path, error);
  }
}
