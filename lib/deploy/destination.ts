import { UserError } from "../base/errors.ts";

/** Where herd goes: as ssh names the host, and a path there. */
export interface Destination {
  host: string;
  /** Absolute, or relative to the home folder there. */
  path: string;
}

export const USUAL_PATH = ".local/bin/herd";

/** A user, a name or an address, and a port where only digits follow the colon. */
const WORDS = /^((?:[^@:[\]]*@)?(?:\[[^\]]*\]|[^:[\]]+)(?::\d{1,5}(?=:|$))?)(?::(.*))?$/s;

/** Reads `HOST[:PATH]`. Throws UserError. */
export function readDestination(text: string): Destination {
  const found = WORDS.exec(text);
  if (found === null || text.startsWith("-")) {
    throw new UserError(`Cannot deploy to "${text}": it names no host`, {
      hint: "Such as login, ana@login:2222 or login:bin/herd",
    });
  }
  const [, host = "", path] = found;
  return { host, path: path === undefined ? USUAL_PATH : readPath(path, text) };
}

function readPath(given: string, text: string): string {
  const refuse = (why: string) => {
    throw new UserError(`Cannot deploy to "${text}": ${why}`, {
      hint: `The path is a file there, from / or from the home folder, such as ${USUAL_PATH}`,
    });
  };
  const path = given.replace(/^~\//, "");
  if (path === "" || path === "~") refuse("the path behind the colon is missing");
  if (path.startsWith("~")) refuse("only your own home folder, ~/, is known there");
  // deno-lint-ignore no-control-regex -- what no path of a program should have
  if (/[\x00-\x1f\x7f]/.test(path)) refuse("the path has control characters in it");
  if (/(^|\/)\.[^/]*$/.test(path)) refuse("its name begins with a dot");
  return path.endsWith("/") ? `${path}herd` : path;
}
