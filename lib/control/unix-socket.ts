import { lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { RefusedError, UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";

/** The kernel keeps 108 bytes for a socket's path, one of them for the NUL at its end. */
export const LONGEST_SOCKET_PATH = 107;

const ANSWER_WITHIN_MS = 2000;

/** Throws UserError for a path that no socket can have. */
export function assertSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= LONGEST_SOCKET_PATH) return;
  throw new UserError(
    `Cannot make socket "${path}": its path has ${bytes} bytes, and ${LONGEST_SOCKET_PATH} are allowed`,
    { hint: "Set XDG_RUNTIME_DIR to a folder with a short path" },
  );
}

/**
 * Removes what a daemon that died left behind. Asked before listening, because Bun
 * takes a path over from whoever listens there. Throws RefusedError when somebody
 * answers, and for a file that is no socket.
 */
export async function clearSocket(path: string): Promise<void> {
  const before = lstatSync(path, { throwIfNoEntry: false });
  if (before === undefined) return;
  if (!before.isSocket()) {
    throw new RefusedError(`Cannot listen at "${path}": there is a file that is no socket`, {
      hint: "Move it aside",
      facts: { path },
    });
  }
  if (await answers(path)) {
    throw new RefusedError(`Cannot listen at "${path}": another daemon does`, { facts: { path } });
  }
  const now = lstatSync(path, { throwIfNoEntry: false });
  // Another start may have put its own there while we asked.
  if (now === undefined || now.ino !== before.ino) return await clearSocket(path);
  unlinkSync(path);
}

/** Whether somebody accepts connections there. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const end = (alive: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(alive);
    };
    // Neither yes nor no: somebody is there whose queue is full.
    const timer = setTimeout(() => end(true), ANSWER_WITHIN_MS);
    socket.once("connect", () => end(true));
    socket.once("error", (error) => {
      const code = codeOf(error);
      if (code === "ECONNREFUSED" || code === "ENOENT") return end(false);
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    });
  });
}
