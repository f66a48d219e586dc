import { applyPatch, createTwoFilesPatch, parsePatch } from "diff";
import type { StructuredPatch } from "diff";
import { visible } from "../base/width.ts";
import { SECRET } from "./without-secrets.ts";

/** Longest proposal that is read, in UTF-16 units. */
export const LONGEST_PROPOSAL = 64 * 1024;

/** A proposal as far as its own text tells: which of the allowed files it changes, and how. */
export interface Proposal {
  changes: readonly { name: string; patch: StructuredPatch }[];
}

/** A file as it is and as it would be. */
export interface FileChange {
  name: string;
  before: string;
  after: string;
}

/** One sentence without period. */
export interface NotUsable {
  refused: string;
}

/** Characters that a person who looks at the change would not see, or not where they are. */
const HIDDEN =
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const BINARY = /^(?:GIT binary patch|Binary files .* differ)\r?$/m;
/** An agent may wrap its diff as in a chat. */
const FENCED = /^\s*```[\w-]*\r?\n([\s\S]*?)\r?\n```\s*$/;

/** Reads a unified diff that may change nothing but the files that `names` lists. */
export function readProposal(text: string, names: readonly string[]): Proposal | NotUsable {
  if (text.length > LONGEST_PROPOSAL) {
    return no(`it has ${text.length} characters, at most ${LONGEST_PROPOSAL} are read`);
  }
  if (!text.isWellFormed() || HIDDEN.test(text.replaceAll("\r\n", "\n"))) {
    return no("it holds characters that nobody would see");
  }
  if (BINARY.test(text)) return no("it changes a binary file");
  const body = FENCED.exec(text)?.[1] ?? text;
  let patches: StructuredPatch[];
  try {
    patches = parsePatch(body.endsWith("\n") ? body : `${body}\n`);
  } catch (error) {
    return no(`it is no unified diff: ${visible((error as Error).message).slice(0, 200)}`);
  }
  const changes: { name: string; patch: StructuredPatch }[] = [];
  for (const patch of patches) {
    if (patch.hunks.length === 0 && patch.oldFileName === undefined) continue;
    const found = nameIn(patch, names);
    if (typeof found !== "string") return found;
    if (changes.some(({ name }) => name === found)) return no(`it changes "${found}" twice`);
    changes.push({ name: found, patch });
  }
  return changes.length === 0 ? no("it is no unified diff, or an empty one") : { changes };
}

/**
 * What the files would become. Every line that the diff shows must stand there as it says, or as
 * `shown` gave it to whoever made the diff: without what they may not see.
 */
export function applyProposal(
  { changes }: Proposal,
  files: ReadonlyMap<string, string>,
  shown: (line: string) => string = (line) => line,
): readonly FileChange[] | NotUsable {
  const made: FileChange[] = [];
  for (const { name, patch } of changes) {
    const before = files.get(name);
    if (before === undefined) return no(`there is no "${name}"`);
    const isBlind = patch.hunks.some(({ lines }) =>
      lines.some((line) => line.startsWith("+") && line.includes(SECRET))
    );
    if (isBlind) return no(`it would write "${SECRET}" into "${name}"`);
    const after = applyPatch(before, patch, {
      fuzzFactor: 0,
      autoConvertLineEndings: true,
      compareLine: (_, line, __, content) =>
        line === content || (content.includes(SECRET) && shown(line) === content),
    });
    if (after === false) return no(`it does not fit "${name}" as that is now`);
    if (after !== before) made.push({ name, before, after });
  }
  return made.length === 0 ? no("it changes nothing") : made;
}

/** The changes as a diff anew: what would be done, whatever the proposal's own text looked like. */
export function changeText(changes: readonly FileChange[]): string {
  return changes.map(({ name, before, after }) =>
    createTwoFilesPatch(name, name, before, after, undefined, undefined, { context: 3 })
      .replace(/^Index:.*\n=+\n/, "").replaceAll("\r\n", "\n").trimEnd()
  ).join("\n");
}

function nameIn(patch: StructuredPatch, names: readonly string[]): string | NotUsable {
  const { oldFileName = "", newFileName = "", hunks } = patch;
  const isMore = patch.isRename === true || patch.isCopy === true || patch.isCreate === true ||
    patch.isDelete === true || patch.newMode !== undefined;
  if (isMore || oldFileName === "/dev/null" || newFileName === "/dev/null") {
    return no("it makes, removes or renames a file, or changes its mode");
  }
  const [before, after] = [plainName(oldFileName), plainName(newFileName)];
  const wrong = [before, after].find((name) => !names.includes(name));
  if (wrong !== undefined) {
    const allowed = names.map((name) => `"${name}"`).join(" and ");
    return no(`it changes "${visible(wrong).slice(0, 120)}", and only ${allowed} may be changed`);
  }
  if (before !== after) return no(`it makes "${after}" of "${before}"`);
  return hunks.length === 0 ? no(`it says nothing about "${after}"`) : after;
}

/** Without what programs put in front: `a/`, `b/`, `./`, and the folder in which the agent has the file. */
function plainName(name: string): string {
  return name.replace(/\r$/, "").replace(/^[ab]\//, "").replace(/^\.\//, "")
    .replace(/^data\//, "");
}

function no(why: string): NotUsable {
  return { refused: `The proposed change cannot be used: ${why}` };
}
