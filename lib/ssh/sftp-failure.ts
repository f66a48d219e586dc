import { type RemoteFileCode, RemoteFileError } from "./remote-files.ts";

/** Status codes of SFTP version 3. */
const CODES: Readonly<Record<number, RemoteFileCode>> = {
  2: "ENOENT",
  3: "EACCES",
  6: "LOST",
  7: "LOST",
  8: "ENOTSUP",
};

const WORDS: Readonly<Record<RemoteFileCode, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission denied",
  EEXIST: "it is there already",
  ENOTSUP: "the server does not know how",
  EINVAL: "the path cannot be used",
  LOST: "the connection was cut",
  UNKNOWN: "the server says only that it failed",
};

/** `what` such as "read". */
export function sftpFailure(what: string, path: string, error: unknown): RemoteFileError {
  if (error instanceof RemoteFileError) return error;
  const { code, message } = error as Error & { code?: unknown };
  const known = typeof code === "number" ? CODES[code] : undefined;
  const lost = /No response from server|Not connected|not open|closed/i.test(message);
  const kind = known ?? (lost ? "LOST" : "UNKNOWN");
  const said = kind === "UNKNOWN" && !/^failure$/i.test(message) ? message : WORDS[kind];
  return new RemoteFileError(kind, path, `Cannot ${what} "${path}" there: ${said}`, error);
}

export function fileFailure(what: string, path: string, code: RemoteFileCode): RemoteFileError {
  return new RemoteFileError(code, path, `Cannot ${what} "${path}" there: ${WORDS[code]}`);
}
