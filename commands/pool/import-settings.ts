import { resolve } from "node:path";
import { UserError } from "../../lib/base/errors.ts";
import { EXIT } from "../../lib/base/exit-codes.ts";
import { visible } from "../../lib/base/width.ts";
import { say } from "../open.ts";
import type { PoolContext } from "./options.ts";

/** Another program's settings as the section `pool` of herd's configuration, on standard output. */
export async function importSettings(
  { cwd, out, json }: PoolContext,
  [file, ...more]: readonly string[],
): Promise<number> {
  if (file === undefined || more.length > 0) {
    throw new UserError("Cannot import: one file is wanted", {
      hint: "herd pool import ~/.openclaw/openclaw.json, or discord-config.env",
    });
  }
  const { importSettings: read } = await import("../../lib/daemon/import-settings.ts");
  const made = read(resolve(cwd, file));
  const { yaml, notices } = made;
  if (json) out.json({ yaml, notices });
  else {
    notices.forEach((notice) => say(out, visible(notice)));
    if ("token" in made && made.token !== undefined) {
      say(
        out,
        `The token is not in it: set ${made.token.variable}, or let ` +
          "`herd pool setup --import FILE` put it into the file",
      );
    }
    out.write(yaml);
  }
  return EXIT.done;
}
