import { createReadStream, existsSync } from "node:fs";
import { runProcess } from "../../lib/base/process.ts";
import { RemoteFileError, type RemoteFiles } from "../../lib/ssh/remote-files.ts";
import type { SshHost } from "../../lib/ssh/ssh-host.ts";

/** As much of a host as fetching needs, which is this machine itself: no ssh, no waiting. */
export interface FarHost extends Pick<SshHost, "name" | "run" | "files"> {
  /** Listings under way, and the most there were at once. */
  most: number;
  listings: number;
  /** Bytes that were read of its files. */
  bytes: number;
  /** Before each read; what it throws the read throws. */
  beforeRead: (path: string) => void;
}

/** `env`: added to what programs see there, such as another PATH. */
export function createFarHost(env: Readonly<Record<string, string>> = {}): FarHost {
  let now = 0;
  const host: FarHost = {
    ...{ name: "login", most: 0, listings: 0, bytes: 0, beforeRead: () => {} },
    async run(argv, options = {}) {
      host.listings++;
      host.most = Math.max(host.most, ++now);
      const { timeoutMs } = options;
      const all = { ...process.env, ...env } as Record<string, string>;
      const ended = await runProcess(argv, {
        env: all,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
      now--;
      return ended;
    },
    files: {
      async *read(path: string, { from = 0, length = Infinity } = {}) {
        host.beforeRead(path);
        if (!existsSync(path)) throw new RemoteFileError("ENOENT", path, `Cannot read "${path}"`);
        if (length === 0) return;
        const stream = createReadStream(path, { start: from, end: from + length - 1 });
        for await (const piece of stream) {
          host.bytes += (piece as Uint8Array).length;
          yield piece as Uint8Array;
        }
      },
    } as Pick<RemoteFiles, "read"> as RemoteFiles,
  };
  return host;
}
