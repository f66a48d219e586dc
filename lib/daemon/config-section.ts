import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { RefusedError } from "../base/errors.ts";
import { readIfThere, replaceFile } from "../base/files.ts";
import { hasSection, putSection } from "../sweep/put-section.ts";
import { yamlText } from "../sweep/yaml-text.ts";
import type { Plain, PlainMapping } from "../sweep/yaml-text.ts";
import { herdConfigPath } from "./herd-config-file.ts";
import { readHerdConfig } from "./read-herd-config.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** A section of herd's own configuration, as a set-up writes it. */
export interface ConfigSection {
  path: string;
  /** Throws RefusedError where a section is that was not to be replaced, UserError for what is no YAML. */
  begin(force: boolean): void;
  /** The whole file, and what of it people are shown. Throws UserError with each mistake of the file. */
  compose(section: PlainMapping, notes: Readonly<Record<string, string>>): ComposedFile;
  /** Returns where the former file is kept, when it had a section of its own. */
  write(file: string): string | undefined;
}

export interface ComposedFile {
  file: string;
  /** The section without secrets. */
  shown: string;
  notices: readonly string[];
}

const HIDDEN = "(not shown)";
const SECRETS: readonly string[] = ["token", "bot_token", "api_key"];

export function openConfigSection(name: "pool" | "broker", env: Env): ConfigSection {
  const path = herdConfigPath(env);
  const head = `# herd's own configuration. docs/${name}-config.md says what each key means.\n\n`;
  /** As it was when its section was looked for. */
  let before = "";
  return {
    path,
    begin(force) {
      before = readIfThere(path) ?? "";
      if (hasSection(before, path, name) && !force) {
        throw new RefusedError(
          `Cannot set up the ${name}: "${path}" has a section "${name}" already`,
          {
            hint:
              `\`herd ${name} check\` looks at it; --force replaces it, and keeps the file as ` +
              `it is now as "${path}.before-setup"`,
          },
        );
      }
    },
    compose(section, notes) {
      const text = yamlText({ [name]: section }, notes);
      const shown = yamlText({ [name]: withoutSecrets(section) }, notes);
      const file = putSection(before === "" ? head : before, path, { name, text });
      const { notices } = readHerdConfig(file, path, env, [name]);
      return { file, shown, notices: notices.map(({ message }) => message) };
    },
    write(file) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      if ((readIfThere(path) ?? "") !== before) {
        throw new RefusedError(`Cannot write "${path}": somebody changed it meanwhile`, {
          hint: "Run it again",
        });
      }
      // Where it is a link, as in a folder of dotfiles, it stays one.
      const target = existsSync(path) ? realpathSync(path) : path;
      const kept = hasSection(before, path, name) ? `${path}.before-setup` : undefined;
      if (kept !== undefined) replaceFile(kept, before, 0o600);
      replaceFile(target, file, 0o600);
      return kept;
    },
  };
}

function withoutSecrets(tree: PlainMapping): PlainMapping {
  const hidden = (key: string, value: Plain | undefined): Plain | undefined => {
    if (value !== undefined && SECRETS.includes(key)) return HIDDEN;
    return typeof value === "object" && !Array.isArray(value)
      ? withoutSecrets(value as PlainMapping)
      : value;
  };
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [key, hidden(key, value)]),
  );
}
