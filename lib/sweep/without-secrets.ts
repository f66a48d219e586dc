/** In the place of a secret. */
export const SECRET = "(secret)";

/** Shorter values are words that stand everywhere. */
const LEAST = 6;
/** Names of variables and keys that hold something secret. */
const NAMED = /token|secret|passw|credential|api_?key|access_?key|private_?key|authorization/i;
/** What is a secret by its form, whoever wrote it where. */
const FORMS: readonly RegExp[] = [
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  /\bgh[opsur]_[A-Za-z0-9]{20,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bhf_[A-Za-z0-9]{20,}/g,
  /\bxox[abprs]-[A-Za-z0-9-]{10,}/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
  /\bAIza[0-9A-Za-z_-]{30,}/g,
  /\b[MNO][\w-]{23,28}\.[\w-]{6}\.[\w-]{27,}/g,
  /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/g,
  /(?<=\bBearer\s)[\w.~+/-]{8,}=*/g,
  /(?<=:\/\/[^\s/:@]{1,64}:)[^\s/@]{3,200}(?=@)/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
];
/** A key that is named like a secret, and its value as YAML, JSON, shell or a log writes it. */
const ASSIGNED =
  /((?:token|secret|passw(?:or)?d|credential|api[_-]?key|access[_-]?key|private[_-]?key|authorization)[\w-]{0,40}["']?\s{0,3}[:=]\s{0,3}["']?)([^\s"',}]{6,})/gi;

/** A text for readers who must not learn secrets: known values, what is named or looks like one. */
export function withoutSecrets(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  let made = text;
  for (const value of secretValues(environment)) made = made.replaceAll(value, SECRET);
  for (const form of FORMS) made = made.replace(form, SECRET);
  return made.replace(
    ASSIGNED,
    // A reference to a variable names a secret and is none.
    (all, key: string, value: string) =>
      /^\$|^\(secret|^[\w-]*_env$/i.test(value) ? all : key + SECRET,
  );
}

function secretValues(environment: Readonly<Record<string, string | undefined>>): string[] {
  const values = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && value.length >= LEAST && NAMED.test(name) ? [value] : []
  );
  // The longest first: one may be the beginning of another.
  return [...new Set(values)].sort((a, b) => b.length - a.length);
}
