import { mkdirSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../lib/base/errors.ts";
import { EXIT } from "../lib/base/exit-codes.ts";
import { codeOf, readIfThere, replaceFile } from "../lib/base/files.ts";
import { defineCommand } from "./command.ts";
import { isUntouched, renderSkill } from "./install-skill/skill.ts";

/** HyperHerd's name for it, so that the new one takes the old one's place. */
const DEFAULT_NAME = "hyperherd-config";

const OPTIONS = [
  {
    name: "scope",
    value: "WHERE",
    choices: ["user", "project"],
    description: "For all your projects, or for this folder only; default user",
  },
  { name: "name", value: "X", description: `Name of the skill; default ${DEFAULT_NAME}` },
  { name: "force", short: "f", description: "Replace a skill of this name that was changed" },
] as const;

type State = "created" | "updated" | "replaced" | "unchanged";

export const command = defineCommand({
  name: "install-skill",
  summary: "Teach Claude Code to write sweeps for herd",
  details:
    "Writes SKILL.md to skills/NAME in ~/.claude (or in $CLAUDE_CONFIG_DIR), or with --scope project in\n" +
    ".claude of the current folder. It explains hyperherd.yaml and launch.sh to an agent that then writes\n" +
    "them for your code. A copy that an older herd wrote is brought up to date; one that was changed\n" +
    "since is left alone without --force.",
  options: OPTIONS,
  examples: [
    { line: "herd install-skill", meaning: "then ask Claude Code for a sweep" },
    { line: "herd install-skill --scope project", meaning: "for everybody who works on this code" },
  ],
  run({ values, env, cwd, out, json }) {
    const scope = values.scope ?? "user";
    const name = checkName(values.name ?? DEFAULT_NAME);
    const path = join(skillsFolder(scope, env, cwd), name, "SKILL.md");
    const state = install(path, renderSkill(name), values.force);
    if (json) out.json({ path, name, scope, state });
    else {
      out.print(SENTENCES[state](path));
      out.print(`In Claude Code, ask for a sweep, or type /${name}`);
    }
    return EXIT.done;
  },
});

const SENTENCES: Readonly<Record<State, (path: string) => string>> = {
  created: (path) => `Created ${path}`,
  updated: (path) => `Brought ${path} up to date`,
  replaced: (path) => `Replaced ${path}`,
  unchanged: (path) => `${path} is up to date`,
};

function install(path: string, text: string, force: boolean): State {
  const there = readThere(path);
  if (there === text) return "unchanged";
  const untouched = there !== undefined && isUntouched(there);
  if (there !== undefined && !untouched && !force) {
    throw new UserError(
      `Cannot write "${path}": a skill that herd did not write, or that was changed, is there`,
      { hint: "--force replaces it; --name X installs beside it" },
    );
  }
  makeFolder(dirname(path));
  replaceFile(targetOf(path), text);
  return there === undefined ? "created" : untouched ? "updated" : "replaced";
}

function readThere(path: string): string | undefined {
  try {
    return readIfThere(path);
  } catch (error) {
    if (codeOf(error) !== "EISDIR") throw error;
    throw new UserError(`Cannot write "${path}": it is a folder`, { cause: error });
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    const code = codeOf(error);
    if (code !== "ENOTDIR" && code !== "EEXIST") throw error;
    throw new UserError(`Cannot make the folder "${path}": a file is in its place`, {
      hint: "Move the file away",
      cause: error,
    });
  }
}

/** Where dotfiles are links into a repository, the file there is written and the link stays. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return path;
    throw error;
  }
}

function skillsFolder(
  scope: "user" | "project",
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): string {
  if (scope === "project") return join(cwd, ".claude", "skills");
  if (env["CLAUDE_CONFIG_DIR"]) return join(resolve(cwd, env["CLAUDE_CONFIG_DIR"]), "skills");
  if (env["HOME"]) return join(resolve(cwd, env["HOME"]), ".claude", "skills");
  throw new UserError("Cannot find your home folder: HOME is not set", {
    hint: "Set HOME, or give --scope project to install into the current folder",
  });
}

/** Claude Code's rule; it also keeps the path within the skills' folder. */
function checkName(name: string): string {
  if (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) && name.length <= 64) return name;
  throw new UserError(
    `Cannot use ${JSON.stringify(name)} as the name of a skill: ` +
      "expected up to 64 small letters and digits, with single hyphens between them",
  );
}
