import { isAbsolute } from "node:path";
import { findProgram } from "../base/find-program.ts";
import type { Work } from "../tasks/backend.ts";

/** No character of it means anything to a shell, should a configuration hand it to one. */
const HARMLESS = /^[A-Za-z0-9][A-Za-z0-9_.:@/+-]{0,199}$/;
const PLACEHOLDER = /\{(folder|model|name|thinking)\}/g;

/**
 * The configured command with `{folder}`, `{model}`, `{name}` and `{thinking}` filled in; else why
 * it cannot be. The task's own text has no placeholder: it never gets into a command line.
 */
export function fillCommand(
  command: readonly string[],
  work: Pick<Work, "folder" | "model" | "name" | "thinking">,
): { argv: string[] } | { refused: string } {
  const values = {
    folder: work.folder,
    model: work.model,
    name: work.name,
    thinking: work.thinking,
  };
  const used = new Set(command.flatMap((word) => [...word.matchAll(PLACEHOLDER)].map((m) => m[1])));
  if (used.has("model") && work.model === undefined) {
    return { refused: "Cannot start the agent: its command needs a model and none is named" };
  }
  for (const name of ["model", "name"] as const) {
    const value = values[name];
    if (used.has(name) && value !== undefined && !HARMLESS.test(value)) {
      const shown = JSON.stringify(value.slice(0, 80));
      return { refused: `Cannot start the agent: ${name} ${shown} may not stand in its command` };
    }
  }
  const argv = command.map((word) =>
    word.replace(PLACEHOLDER, (_, name: keyof typeof values) => values[name] ?? "")
  );
  return { argv };
}

/** Why the program cannot be started, before it is tried; undefined when it can be. */
export function programProblem(program: string, path: string | undefined): string | undefined {
  const shown = JSON.stringify(program.slice(0, 200));
  if (!isAbsolute(program) && program.includes("/")) {
    return `Cannot start ${shown}: name it by an absolute path or without a folder`;
  }
  const found = isAbsolute(program)
    // The folder of the whole path, and the path as a name in it.
    ? findProgram(program.slice(1), "/")
    : findProgram(program, path);
  return found === undefined
    ? `Cannot start ${shown}: there is no such program on this machine`
    : undefined;
}
