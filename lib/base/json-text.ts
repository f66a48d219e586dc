/** Pieces are handed on at about this many characters: one write of a pipe's worth, not one per value. */
const PIECE = 1 << 18;

/**
 * The text of `JSON.stringify(value, null, 2)` in pieces, so that 100,000 trials
 * need no single string. Arrays at the top or right below it are taken apart;
 * so are other iterables (generators), which JSON.stringify does not know.
 */
export function* jsonPieces(value: unknown): Generator<string> {
  let waiting = "";
  for (const part of parts(value)) {
    waiting += part;
    if (waiting.length < PIECE) continue;
    yield waiting;
    waiting = "";
  }
  if (waiting !== "") yield waiting;
}

function* parts(value: unknown): Generator<string> {
  if (isList(value)) return yield* listParts(value, "");
  if (!isPlainObject(value)) return yield JSON.stringify(value, null, 2) ?? "null";
  let first = true;
  for (const [key, member] of Object.entries(value)) {
    const list = isList(member);
    const text = list ? undefined : JSON.stringify(member, null, 2);
    if (!list && text === undefined) continue;
    yield `${first ? "{" : ","}\n  ${JSON.stringify(key)}: `;
    first = false;
    if (list) yield* listParts(member, "  ");
    else yield indent(text!, "  ");
  }
  yield first ? "{}" : "\n}";
}

function* listParts(list: Iterable<unknown>, margin: string): Generator<string> {
  let first = true;
  for (const element of list) {
    yield `${first ? "[" : ","}\n${margin}  `;
    first = false;
    yield indent(JSON.stringify(element, null, 2) ?? "null", `${margin}  `);
  }
  yield first ? "[]" : `\n${margin}]`;
}

function isList(value: unknown): value is Iterable<unknown> {
  if (typeof value !== "object" || value === null || hasToJson(value)) return false;
  return Array.isArray(value) || typeof (value as Iterator<unknown>).next === "function";
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !hasToJson(value);
}

function hasToJson(value: object): boolean {
  return typeof (value as { toJSON?: unknown }).toJSON === "function";
}

/** JSON escapes newlines inside strings, so every newline here is one between lines. */
function indent(text: string, margin: string): string {
  return text.includes("\n") ? text.replaceAll("\n", `\n${margin}`) : text;
}
