import { UserError } from "../../lib/base/errors.ts";
import type { PoolContext } from "./options.ts";

/** Asks for what a pool needs and writes it into herd's configuration. */
export function setUp(_context: PoolContext): Promise<number> {
  return Promise.reject(
    new UserError("Cannot set up the pool by questions yet", {
      hint: "docs/pool-config.md shows the file: ~/.config/herd/config.yaml",
    }),
  );
}
