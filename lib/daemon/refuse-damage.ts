import { RefusedError } from "../base/errors.ts";
import { shellQuote } from "../base/text.ts";
import type { HyperHerdFiles } from "../store/hyperherd-files.ts";

/** A trial or a job that is hidden would be submitted again, beside itself. */
export function refuseDamage({ damage: [first] }: HyperHerdFiles, manifest: string): void {
  if (first === undefined) return;
  const { path, what } = first;
  throw new RefusedError(
    `Cannot change the sweep: "${path}", which HyperHerd wrote, ${what}`,
    {
      hint: `Restore it, or move it aside (mv ${shellQuote(path)} ${shellQuote(`${path}.old`)}): ` +
        (path === manifest
          ? "its trials are then planned anew, under indices that were never used"
          : "trials whose job only it names are then unknown until `herd stop` frees them"),
      facts: { path },
    },
  );
}
