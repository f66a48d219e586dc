import { EXIT } from "../lib/base/exit-codes.ts";
import { exitCodeOf, explain, kindOf } from "../lib/base/explain.ts";
import { isDebugging } from "../lib/base/log.ts";
import type { Context } from "./command.ts";

/**
 * Prints what a command did as one JSON document and gives back the exit code.
 * When the scheduler failed after a part of it, the document has an `error` as
 * well: two documents would be none to a program that reads them.
 */
export function tellDocument(
  { out, log, env }: Pick<Context, "out" | "log" | "env">,
  document: object,
  trouble: Error | undefined,
): number {
  if (trouble === undefined) {
    out.json(document);
    return EXIT.done;
  }
  out.json({ ...document, ...explain(trouble, "json") });
  out.printError(`${out.errorPaint.red("Error:")} ${explain(trouble, "terminal")}`);
  if (isDebugging(env)) out.printError(out.errorPaint.dim(explain(trouble, "log")));
  const kind = kindOf(trouble);
  log.write("error", explain(trouble, "terminal"), { kind, stack: explain(trouble, "log") });
  return exitCodeOf(trouble);
}
