import { spawn } from "node:child_process";
import { section } from "./documented-keys.ts";

/** The lines below a heading of a page that a user is told to type, without what they mean. */
export function typedLines(page: string, heading: string): string[] {
  return [...section(page, heading).matchAll(/^( *)```(?:ba)?sh\n([^]*?)^\1```$/gm)]
    .flatMap(([, , block]) => block!.replace(/\\\n\s*/g, "").split("\n"))
    .map((line) => line.replace(/\s+# .*$/, "").trim()).filter((line) => line !== "");
}

/** Types it into bash; at most a minute. */
export function typeLine(
  line: string,
  options: { cwd: string; env: Record<string, string | undefined> },
): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", line], { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stdout.on("data", (chunk) => said += chunk);
    child.stderr.on("data", (chunk) => said += chunk);
    const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, said });
    });
  });
}
