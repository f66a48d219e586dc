import { existsSync } from "node:fs";
import { basename } from "node:path";
import { UserError } from "../base/errors.ts";
import { shellQuote } from "../base/text.ts";
import { isInstalled } from "../schedulers/choose.ts";

/** Shells whose scripts bash runs too. */
const SHELL = /^(ba|rba|da|a|k|mk|z)?sh[\d.-]*$|^busybox$/;

/**
 * herd runs `bash <launcher>`, so that a first line for another program would
 * have its text read as bash. Throws UserError with the mend; gives back what is
 * only worth saying. `text` is the launcher's, one character per byte; `env` is undefined where
 * it runs on another computer.
 */
export function checkFirstLine(
  text: string,
  path: string,
  env: Readonly<Record<string, string | undefined>> | undefined,
): string[] {
  if (text.startsWith("\x7fELF")) throw notBash(path, "it is a compiled program");
  const [first = ""] = text.split("\n", 1);
  const program = interpreterOf(first);
  const name = basename(program ?? "bash");
  if (!SHELL.test(name)) throw notBash(path, `its first line asks for "${name}"`);
  if (first.endsWith("\r")) {
    throw new UserError(
      `Cannot run the sweep: the first line of launcher "${path}" ends in a carriage return ` +
        "(DOS line breaks), which bash takes for a part of each command",
      { hint: `Run: sed -i 's/\\r$//' ${shellQuote(path)}` },
    );
  }
  if (program === undefined || env === undefined) return [];
  const isThere = program.includes("/") ? existsSync(program) : isInstalled(program, env);
  if (isThere) return [];
  return [`The first line of ${path} asks for "${program}", which is not here; bash runs it`];
}

function notBash(path: string, found: string): UserError {
  const name = basename(path);
  const starting = 'a bash script that starts it: exec ./NAME "${@:2}"';
  return new UserError(
    `Cannot run the sweep: launcher "${path}" is no bash script: ${found}, and bash runs launchers`,
    {
      hint: name === "launch.sh"
        ? `Give it another name, and make launch.sh ${starting}`
        : `Make launch.sh ${starting.replace("NAME", () => name)}, and write launcher: launch.sh`,
    },
  );
}

/** The program of a `#!` line, looked for behind `env` with its options and assignments. */
function interpreterOf(line: string): string | undefined {
  if (!line.startsWith("#!")) return undefined;
  const words = line.slice(2).trim().split(/\s+/);
  const [program = "", ...rest] = words;
  if (basename(program) !== "env") return program === "" ? undefined : program;
  const wanted = rest.map((word) => word.replace(/^(-[a-zA-Z]*S|--split-string=)/, ""))
    .filter((_, i) => !/^-[uC]$/.test(rest[i - 1] ?? ""))
    .find((word) => word !== "" && !word.startsWith("-") && !word.includes("="));
  return wanted ?? program;
}
