import { readFileSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { UserError } from "../base/errors.ts";
import { codeOf } from "../base/files.ts";
import { importOpenab } from "../chat/import-openab.ts";

/** The section `broker` of OpenAB's files; a bot is called as its file, or as the file's folder. */
export function readOpenab(
  cwd: string,
  files: readonly string[],
): { yaml: string; notices: string[] } {
  return importOpenab(files.map((file) => {
    const path = resolve(cwd, file);
    return { name: nameOf(path), text: textOf(path) };
  }));
}

/** `/etc/openab/kiro/config.toml` is the bot "kiro", and TOML. */
function nameOf(path: string): string {
  const ending = extname(path);
  return basename(path, ending) === "config" ? basename(dirname(path)) + ending : basename(path);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const why = codeOf(error) === "ENOENT" ? "there is no such file" : (error as Error).message;
    throw new UserError(`Cannot read "${path}": ${why}`, {
      hint: "OpenAB's is config.toml in its folder, or values.yaml of its Helm chart",
    });
  }
}
