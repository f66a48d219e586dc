import { randomBytes } from "node:crypto";
import type { SshHost } from "../ssh/ssh-host.ts";
import { MirrorError } from "./mirror-error.ts";

/** What of a login node herd needs to know. */
export interface HostFacts {
  uid: number;
  home: string;
  /** What a program sees that ssh starts there. */
  bare: Readonly<Record<string, string>>;
  /** What a login shell sees: with the paths of SLURM and of modules, as in a terminal. */
  login: Readonly<Record<string, string>>;
  /** The herd that is installed there. */
  herd: string | undefined;
}

/**
 * `$1` is a mark that nothing else prints. A login shell may greet, so only what comes behind the
 * mark counts; csh takes no command beside `-l`, and has read its files already.
 */
const SCRIPT = `m=$1
printf '%s uid\\n%s\\0%s home\\n%s\\0' "$m" "$(id -u)" "$m" "$HOME"
printf '%s bare\\n' "$m"; env -0
case "$SHELL" in
  */bash|*/zsh|*/ksh|*/sh|*/dash|*/fish) HERD_MARK=$m "$SHELL" -l -c 'printf "%s shell\\n" "$HERD_MARK"; env -0
    printf "%s herd\\n" "$HERD_MARK"; command -v herd' </dev/null ;;
  *) printf '%s shell\\n' "$m"; env -0; printf '%s herd\\n' "$m"; command -v herd ;;
esac`;

const TIMEOUT_MS = 60_000;

/** Rejects with MirrorError. */
export async function askHost(
  host: Pick<SshHost, "name" | "run">,
  signal?: AbortSignal,
): Promise<HostFacts> {
  const mark = `herd-${randomBytes(9).toString("hex")}`;
  const ended = await host.run(["/bin/sh", "-c", SCRIPT, "sh", mark], {
    timeoutMs: TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  if (ended.lost !== undefined || ended.timedOut || ended.canceled) {
    const why = ended.lost ?? (ended.timedOut ? "its login shell does not end" : "it was stopped");
    throw new MirrorError("unreachable", `Cannot ask "${host.name}" what it is: ${why}`);
  }
  const facts = parseFacts(ended.stdout, mark);
  if (facts !== undefined) return facts;
  throw new MirrorError(
    "unusable",
    `Cannot ask "${host.name}" what it is: ${
      ended.stderr.trim().split("\n").at(-1) || "it has no sh, id and env of its own"
    }`,
  );
}

export function parseFacts(output: string, mark: string): HostFacts | undefined {
  const parts = new Map(
    output.split(`${mark} `).slice(1).map((part) => {
      const end = part.indexOf("\n");
      return [part.slice(0, end), part.slice(end + 1)] as const;
    }),
  );
  const uid = Number.parseInt(parts.get("uid") ?? "", 10);
  const home = parts.get("home")?.replace(/\0$/, "");
  const bare = environmentOf(parts.get("bare"));
  const login = environmentOf(parts.get("shell"));
  if (!(uid >= 0) || home === undefined || bare["PATH"] === undefined) return undefined;
  const herd = /^\/.*$/m.exec(parts.get("herd") ?? "")?.[0];
  return { uid, home, bare, login: login["PATH"] === undefined ? bare : login, herd };
}

function environmentOf(text = ""): Record<string, string> {
  return Object.fromEntries(
    text.split("\0").flatMap((line): [string, string][] => {
      const at = line.indexOf("=");
      const name = line.slice(0, at);
      return at > 0 && name !== "HERD_MARK" && name !== "_" ? [[name, line.slice(at + 1)]] : [];
    }),
  );
}
