import { spawn } from "node:child_process";

/** A child that has our terminal. */
export interface InheritedChild {
  readonly exited: Promise<{ exitCode: number | undefined; signal: string | undefined }>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a program with our streams; it ends when it ends, or is told to. Never throws. */
export function spawnInherited(
  argv: readonly string[],
  { env }: { env: Readonly<Record<string, string>> },
): InheritedChild {
  const child = spawn(argv[0] ?? "", argv.slice(1), { env: { ...env }, stdio: "inherit" });
  let over = false;
  const exited = new Promise<Awaited<InheritedChild["exited"]>>((resolve) => {
    child.on("exit", (code, signal) => {
      over = true;
      resolve({ exitCode: code ?? undefined, signal: signal ?? undefined });
    });
    child.on("error", () => {
      over = true;
      resolve({ exitCode: 127, signal: undefined });
    });
  });
  return {
    exited,
    kill(signal) {
      try {
        if (!over && child.pid !== undefined) process.kill(child.pid, signal);
      } catch {
        // It ended in this very moment.
      }
    },
  };
}
