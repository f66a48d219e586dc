/** One thing that only a person knows: a passphrase, a password, a one-time code, a yes. */
export interface SshQuestion {
  /** The host as the user named it, or the jump host on the way to it. */
  host: string;
  /** Whom it is for, such as `ana@login.example.org`. */
  title: string;
  /** The server's or herd's own words, such as `Verification code:`; cleaned of control characters. */
  prompt: string;
  /** False when what is typed must not be shown. */
  echo: boolean;
  kind: "passphrase" | "password" | "code" | "host-key";
  /** 1 for the first time, more when the answer before was not accepted. */
  attempt: number;
}

/** Asks a person; undefined when nobody can be asked or nobody answered. */
export type Asker = (question: SshQuestion, signal?: AbortSignal) => Promise<string | undefined>;
