import { type Mistake, NothingError, RefusedError, SchedulerError, UserError } from "./errors.ts";
import { EXIT } from "./exit-codes.ts";
import { codeOf } from "./files.ts";

/** What was wrong, in one word, for scripts. */
export type ErrorKind =
  | "mistake"
  | "refused"
  | "nothing"
  | "unreachable"
  | "rejected"
  | "unreadable"
  | "system"
  | "interrupted"
  | "unexpected";

/** The `error` member of what `--json` prints; facts of a refusal stand beside the fixed keys. */
export interface ErrorDocument {
  kind: ErrorKind;
  message: string;
  hint: string | null;
  mistakes: Mistake[];
  [fact: string]: unknown;
}

/** Failed calls that say something about the machine or the account, not about this program. */
const SYSTEM_FAILURES: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the disk",
  EDQUOT: "your disk quota is used up",
  EMFILE: "too many open files",
  ENFILE: "too many open files on this machine",
  EIO: "the disk or network file system failed",
  ESTALE: "the network file system lost the file",
};

/** One text or document for whatever was thrown; the only formatter of errors. */
export function explain(error: unknown, audience: "terminal" | "log"): string;
export function explain(error: unknown, audience: "json"): { error: ErrorDocument };
export function explain(
  error: unknown,
  audience: "terminal" | "json" | "log",
): string | { error: ErrorDocument } {
  if (audience === "json") return { error: documentOf(error) };
  return audience === "log" ? stackOf(error) : textOf(documentOf(error));
}

/** The process's exit code for whatever was thrown. */
export function exitCodeOf(error: unknown): number {
  switch (kindOf(error)) {
    case "mistake":
    case "system":
      return EXIT.mistake;
    case "refused":
      return EXIT.refused;
    case "nothing":
      return EXIT.negative;
    case "unreachable":
    case "unreadable":
      return EXIT.unreachable;
    case "rejected":
      return EXIT.rejected;
    case "interrupted":
      return EXIT.interrupted;
    case "unexpected":
      return EXIT.unexpected;
  }
}

export function kindOf(error: unknown): ErrorKind {
  if (error instanceof UserError) return "mistake";
  if (error instanceof RefusedError) return "refused";
  if (error instanceof NothingError) return "nothing";
  if (error instanceof SchedulerError) return error.kind;
  if ((error as Error | undefined)?.name === "AbortError") return "interrupted";
  return SYSTEM_FAILURES[codeOf(error) ?? ""] === undefined ? "unexpected" : "system";
}

function documentOf(error: unknown): ErrorDocument {
  const kind = kindOf(error);
  const facts = error instanceof RefusedError ? error.facts : {};
  return {
    ...facts,
    kind,
    message: messageOf(error, kind),
    hint: hintOf(error),
    mistakes: mistakesOf(error),
  };
}

function messageOf(error: unknown, kind: ErrorKind): string {
  if (kind === "system") return systemMessage(error as NodeJS.ErrnoException);
  if (kind === "interrupted") return "Interrupted";
  const message = error instanceof Error ? error.message : String(error);
  return kind === "unexpected" ? `Unexpected error: ${message}` : message;
}

function systemMessage(error: NodeJS.ErrnoException): string {
  const what = `${SYSTEM_FAILURES[error.code ?? ""]} (${error.code})`;
  return `Cannot ${error.syscall ?? "use a file"}${error.path ? ` "${error.path}"` : ""}: ${what}`;
}

function hintOf(error: unknown): string | null {
  const hinted = error instanceof UserError || error instanceof RefusedError ||
    error instanceof NothingError;
  return hinted ? error.hint ?? null : null;
}

function mistakesOf(error: unknown): Mistake[] {
  return error instanceof UserError ? [...error.mistakes] : [];
}

function textOf({ message, hint, mistakes }: ErrorDocument): string {
  const lines = [message];
  for (const mistake of mistakes) {
    const place = placeOf(mistake);
    // A lone mistake is often the message itself, with its place or without; said once is enough.
    if (message === `${spotOf(mistake)}: ${mistake.message}`) continue;
    const told = message === mistake.message ? "" : mistake.message;
    if (place + told !== "") {
      lines.push(
        `  ${told === "" ? place.replace(/:$/, "") : place === "" ? told : `${place} ${told}`}`,
      );
    }
    if (mistake.hint !== undefined && mistake.hint !== hint) lines.push(`    ${mistake.hint}`);
  }
  if (hint !== null) lines.push(`Hint: ${hint}`);
  return lines.join("\n");
}

/** `hyperherd.yaml:3:7 slurm.mem:` as far as it is known; editors and terminals open the first part. */
function placeOf(mistake: Mistake): string {
  const { path } = mistake;
  const spot = spotOf(mistake);
  return [spot, path].filter((part) => part !== undefined && part !== "").join(" ") +
    (spot !== "" || path !== undefined ? ":" : "");
}

function spotOf({ file, line, column }: Mistake): string {
  return [file, line, column].filter((part) => part !== undefined).join(":");
}

/** Everything that is known, with the causes below; for the log and for HERD_DEBUG. */
function stackOf(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at !== undefined && parts.length < 8; at = causeOf(at)) {
    const text = at instanceof Error ? at.stack ?? `${at.name}: ${at.message}` : String(at);
    const detail = at instanceof SchedulerError && at.detail ? `\n${at.detail}` : "";
    parts.push(text + detail);
  }
  return parts.join("\nCaused by: ");
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
