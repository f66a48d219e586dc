import { matchesPatterns } from "./host-pattern.ts";
import { SshError } from "./ssh-error.ts";

/** What the conditions of a `Match` line are compared with. */
export interface MatchFacts {
  /** The host name found so far. */
  host: string;
  /** As the user typed it. */
  originalHost: string;
  user: string;
  localUser: string;
  /** In the second reading of the files. */
  final: boolean;
  /** `file:line`. */
  place: string;
  /** Called when the files want a second reading. */
  wantFinal(): void;
  notice(text: string): void;
}

/** Whether a `Match` line's conditions are all met. One that herd does not know is never met, with a notice. */
export function fitsMatch(
  words: readonly string[],
  facts: MatchFacts,
  quiet: boolean,
): boolean {
  const parts = words.flatMap((word) => {
    const equal = /^(!?[a-z]+)=(.*)$/is.exec(word);
    return equal === null ? [word] : [equal[1]!, equal[2]!];
  });
  let fits = true;
  for (let at = 0; at < parts.length; at++) {
    const negated = parts[at]!.startsWith("!");
    const name = parts[at]!.slice(negated ? 1 : 0).toLowerCase();
    if (name === "all") continue;
    if (name === "final" || name === "canonical") {
      if (name === "final") facts.wantFinal();
      if (facts.final === negated) fits = false;
      continue;
    }
    const value = parts[++at];
    if (value === undefined) throw missing(name, facts.place);
    const met = isMet(name, value, facts);
    if (met === undefined) {
      fits = false;
      if (!quiet) {
        facts.notice(`"Match ${name}" at ${facts.place} is not supported: its block is left out`);
      }
    } else if (met === negated) fits = false;
  }
  return fits;
}

function isMet(name: string, value: string, facts: MatchFacts): boolean | undefined {
  const patterns = value.split(",");
  switch (name) {
    case "host":
      return matchesPatterns(facts.host.toLowerCase(), patterns);
    case "originalhost":
      return matchesPatterns(facts.originalHost.toLowerCase(), patterns);
    case "user":
      return matchesPatterns(facts.user, patterns);
    case "localuser":
      return matchesPatterns(facts.localUser, patterns);
    default:
      return undefined;
  }
}

function missing(name: string, place: string): SshError {
  return new SshError("config", place, `Cannot read ${place}: "Match ${name}" has no value`);
}
