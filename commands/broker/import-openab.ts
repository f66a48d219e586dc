import { UserError } from "../../lib/base/errors.ts";
import { EXIT } from "../../lib/base/exit-codes.ts";
import { visible } from "../../lib/base/width.ts";
import { say } from "../open.ts";
import type { BrokerContext } from "./options.ts";

/** Configurations of OpenAB as the section `broker` of herd's, on standard output. */
export async function importOpenab(
  { cwd, out, json }: BrokerContext,
  files: readonly string[],
): Promise<number> {
  if (files.length === 0) {
    throw new UserError("Cannot import: a file is wanted", {
      hint: "herd broker import config.toml; several bots: one file for each",
    });
  }
  const { readOpenab } = await import("../../lib/daemon/read-openab.ts");
  const { yaml, notices } = readOpenab(cwd, files);
  if (json) {
    out.json({ yaml, notices });
    return EXIT.done;
  }
  notices.forEach((notice) => say(out, visible(notice)));
  out.write(yaml);
  return EXIT.done;
}
