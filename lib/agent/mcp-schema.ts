/**
 * The Messages API refuses a whole request for one schema that it does not like,
 * so a foreign one is copied keyword by keyword: what is not well-formed is left
 * out, which lets more through; the server itself checks what it gets.
 */
export type Schema = Readonly<Record<string, unknown>>;

/** Deeper schemas are cut: "anything" from there on. */
const DEEPEST = 8;
/** Characters of JSON; it is sent, and paid for, with every call to the model. */
const LONGEST = 8_000;

const TYPES = ["string", "number", "integer", "boolean", "object", "array", "null"];
const PROPERTY_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const NUMBERS = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
];
const COUNTS = [
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
];

/** The schema of a tool's input as it may be sent, or why the tool cannot be offered. */
export function fitSchema(schema: unknown): { schema: Schema } | { why: string } {
  if (schema === undefined || schema === null) {
    return { schema: { type: "object", properties: {} } };
  }
  if (!isRecord(schema)) return { why: "the schema of its input is no object" };
  const properties = isRecord(schema["properties"]) ? schema["properties"] : {};
  const bad = Object.keys(properties).find((name) => !PROPERTY_NAME.test(name));
  if (bad !== undefined) {
    return {
      why: `the argument ${JSON.stringify(bad).slice(0, 80)} has a name that models refuse`,
    };
  }
  const copied = copy(schema, 0);
  // At the top the API allows one plain object and no alternatives.
  for (const keyword of ["anyOf", "oneOf", "allOf", "enum", "const"]) delete copied[keyword];
  const fitted = { ...copied, type: "object", properties: copied["properties"] ?? {} };
  return JSON.stringify(fitted).length > LONGEST
    ? { why: "the schema of its input is too long" }
    : { schema: fitted };
}

function copy(schema: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> {
  if (depth > DEEPEST) return {};
  const copied: Record<string, unknown> = {};
  const type = typeOf(schema["type"]);
  if (type !== undefined) copied["type"] = type;
  for (const keyword of ["title", "description", "format", "pattern", "$ref"]) {
    const value = schema[keyword];
    if (typeof value !== "string") continue;
    if (keyword === "pattern" && !isPattern(value)) continue;
    // A reference elsewhere would have to be fetched by whoever reads the schema.
    if (keyword === "$ref" && !value.startsWith("#/")) continue;
    copied[keyword] = value;
  }
  for (const keyword of NUMBERS) {
    if (typeof schema[keyword] === "number") copied[keyword] = schema[keyword];
  }
  for (const keyword of COUNTS) {
    if (Number.isSafeInteger(schema[keyword])) copied[keyword] = schema[keyword];
  }
  if (Array.isArray(schema["enum"]) && schema["enum"].length > 0) copied["enum"] = schema["enum"];
  for (const keyword of ["const", "default"]) {
    if (keyword in schema) copied[keyword] = schema[keyword];
  }
  copyNested(schema, copied, depth);
  return copied;
}

function copyNested(
  schema: Readonly<Record<string, unknown>>,
  copied: Record<string, unknown>,
  depth: number,
): void {
  for (const keyword of ["properties", "$defs", "definitions"]) {
    const members = schema[keyword];
    if (!isRecord(members)) continue;
    copied[keyword] = Object.fromEntries(
      Object.entries(members).map(([name, one]) => [name, sub(one, depth)]),
    );
  }
  for (const keyword of ["anyOf", "oneOf", "allOf"]) {
    const choices = schema[keyword];
    if (Array.isArray(choices) && choices.length > 0) {
      copied[keyword] = choices.map((one) => sub(one, depth));
    }
  }
  // As a list `items` means a tuple in old drafts and is malformed in the one that models read.
  if (isSchema(schema["items"])) copied["items"] = sub(schema["items"], depth);
  if (isSchema(schema["additionalProperties"])) {
    copied["additionalProperties"] = sub(schema["additionalProperties"], depth);
  }
  const required = schema["required"];
  if (Array.isArray(required)) {
    const known = isRecord(schema["properties"]) ? schema["properties"] : {};
    const names = required.filter((name) => typeof name === "string" && name in known);
    if (names.length > 0) copied["required"] = [...new Set(names)];
  }
}

function sub(schema: unknown, depth: number): unknown {
  if (typeof schema === "boolean") return schema;
  return isRecord(schema) ? copy(schema, depth + 1) : {};
}

function isSchema(value: unknown): boolean {
  return typeof value === "boolean" || isRecord(value);
}

function typeOf(type: unknown): unknown {
  const known = (one: unknown) => typeof one === "string" && TYPES.includes(one);
  if (known(type)) return type;
  return Array.isArray(type) && type.length > 0 && type.every(known)
    ? [...new Set(type)]
    : undefined;
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
