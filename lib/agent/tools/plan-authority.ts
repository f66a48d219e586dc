import { cleanText } from "../quote-data.ts";

/** A line of a plan that says what may be done without a person, or how much. */
export interface AuthorityLine {
  /** Without Markdown's marks, in lower case. */
  line: string;
  /** Under which heading, in which fence: what moves may come into force. */
  place: string;
}

/**
 * The lines of a plan that give or limit power, in order. A plan is text that
 * people edit, so this goes by words and by section, and takes rather a line too
 * many: what it finds only a person may change.
 */
export function authorityOf(plan: string): AuthorityLine[] {
  const found: AuthorityLine[] = [];
  let heading = "";
  let section: number | undefined;
  let list = false;
  let fenced = false;
  for (const raw of cleanText(plan).normalize("NFKC").split("\n")) {
    if (/^\s{0,3}(?:`{3,}|~{3,})/.test(raw)) fenced = !fenced;
    const add = (line: string) =>
      found.push({ line, place: `${fenced ? "fence " : ""}${heading}` });
    const line = plain(raw);
    const depth = fenced ? undefined : /^\s{0,3}(#{1,6})/.exec(raw)?.[1]?.length;
    if (depth !== undefined) {
      list = false;
      heading = line;
      // A smaller heading within such a section belongs to it.
      if (section !== undefined && depth > section) add(line);
      else section = SECTION.test(line) ? depth : undefined;
      continue;
    }
    if (line === "") continue;
    const named = SETTING.test(line);
    const item = /^\s*(?:[-*+•]|\d+[.)])\s/.test(raw) || /^\s{2,}\S/.test(raw);
    if (named || section !== undefined || (list && item)) add(line);
    if (named) list = /[:=]$/.test(line);
    else if (!item) list = false;
  }
  return found;
}

const WORDS = "(?:" + [
  "(?:agent[ _-]?)?grants?",
  "granted",
  "permissions?",
  "allow(?:ed|s)?",
  "(?:prune|retry|bump)[ _-]?(?:share|caps?|limits?)",
  "(?:infrastructure[ _-]?)?retries",
  "caps?",
  "ceilings?",
  "limits?",
  "max(?:imum)?[ _-]?(?:memory|mem|time|cost|spend|usd)[\\w -]*",
  "budgets?",
  "spend(?:ing)?(?:[ _-]limit)?",
  "confirmations?",
].join("|") + ")";
/** A heading that is about nothing else. */
const SECTION = new RegExp(`^(?:the )?${WORDS}(?: and ${WORDS})*\\b`);
/** `Grants: stop`, `| Grants | stop |`, `grants = stop`. */
const SETTING = new RegExp(`^(?:the )?${WORDS}(?: [^:=|]{0,40})?\\s*[:=|]`);
const NOTHING = /^[^:=|]*[:=|]\s*(?:none|nothing|no|-|–|\[\])?\s*\|?$/;

/** Without Markdown's marks, list bullets and runs of spaces, in lower case. */
function plain(line: string): string {
  return line.replace(/[*`~>]|__+/g, "").replace(/^[\s|#•+-]+/, "").replace(/^\d+[.)]\s+/, "")
    .replace(/^\[[ x]\]\s*/i, "").replace(/\s+/g, " ").trim().toLowerCase();
}

/** The first line by which the new plan would allow another thing than the old one; undefined: none. */
export function authorityChange(old: string, plan: string): string | undefined {
  const had = authorityOf(old);
  const has = authorityOf(plan);
  // Where nothing was said of it, a plan may say that nothing is granted.
  if (had.length === 0) return has.find(({ line }) => !NOTHING.test(line))?.line;
  for (let i = 0; i < Math.max(had.length, has.length); i++) {
    const [before, after] = [had[i], has[i]];
    if (before?.line !== after?.line || before?.place !== after?.place) {
      return after?.line ?? before?.line;
    }
  }
  return undefined;
}
