import { fileURLToPath } from "node:url";

/** The checkout's folder, with a slash at the end. */
export const ROOT = fileURLToPath(new URL("../", import.meta.url));

export const BUN = `${ROOT}node_modules/bun/bin/bun.exe`;

/**
 * Makes sure that the packages are there and that bun's own install script
 * (allowed in deno.json) has put the real program in place of its small stand-in. Does nothing when so.
 */
export async function ensureInstalled(): Promise<void> {
  if (hasBun() && hasPackages()) return;
  console.error("Installing packages (once) ...");
  const code = await run([Deno.execPath(), "install", "--quiet"]);
  if (code !== 0 || !hasBun()) {
    throw new Error(
      `Cannot install the packages: deno install ended with ${code}, and ${BUN} is not there`,
    );
  }
}

/** A checkout that is older than a package in deno.json lacks it. */
function hasPackages(): boolean {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)) as {
    imports: Record<string, string>;
  };
  return Object.entries(imports).every(([name, source]) => {
    try {
      const text = Deno.readTextFileSync(`${ROOT}node_modules/${name}/package.json`);
      return source.endsWith(`@${(JSON.parse(text) as { version: string }).version}`);
    } catch {
      return false;
    }
  });
}

/** The stand-in that is there before the install script ran is a few hundred bytes long. */
function hasBun(): boolean {
  try {
    return Deno.statSync(BUN).size > 10_000_000;
  } catch {
    return false;
  }
}

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** Shows nothing of what it prints. */
  quiet?: boolean;
  /** Without this one's input: nobody can be asked. */
  unattended?: boolean;
}

/** Runs a program with this one's own input and output; resolves to its exit code. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<number> {
  const child = new Deno.Command(argv[0]!, {
    args: argv.slice(1),
    cwd: options.cwd ?? ROOT,
    env: options.env ?? {},
    ...(options.unattended ? { stdin: "null" } as const : {}),
    ...(options.quiet ? { stdout: "null", stderr: "null" } as const : {}),
  }).spawn();
  return (await child.status).code;
}

/** What a program prints, trimmed; undefined when it is missing or fails. */
export async function outputOf(argv: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(argv[0]!, {
      args: argv.slice(1),
      cwd: ROOT,
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}
