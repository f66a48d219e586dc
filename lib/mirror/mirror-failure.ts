import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import { RemoteFileError } from "../ssh/remote-files.ts";
import { SshError } from "../ssh/ssh-error.ts";
import { MirrorError } from "./mirror-error.ts";

/** What fails on the way is one kind of error to everybody. */
export async function mirrorFailure<T>(host: string, act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    throw asMirrorError(host, error);
  }
}

function asMirrorError(host: string, error: unknown): unknown {
  if (error instanceof MirrorError) return error;
  if (error instanceof SshError) {
    // A server without SFTP has none later either.
    const kind = error.step === "channel" && !error.passing ? "unusable" : "unreachable";
    return new MirrorError(kind, error.message, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
  if (error instanceof RemoteFileError) {
    const kind = error.code === "LOST" ? "unreachable" : "unusable";
    return new MirrorError(kind, `On "${host}": ${error.message}`, {
      ...(error.code === "UNKNOWN"
        ? { hint: "Is the disk there full, or a quota used up? There: df -h; quota -s" }
        : {}),
      cause: error,
    });
  }
  if (error instanceof UserError || codeOf(error) === undefined) return error;
  return new MirrorError("unusable", `Cannot keep what is of "${host}" here: ${said(error)}`, {
    cause: error,
  });
}

function said(error: unknown): string {
  return (error as Error).message;
}
