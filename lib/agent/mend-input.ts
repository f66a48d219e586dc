import type { SchemaNode } from "./tool-mistake.ts";

/**
 * What a model sent, with the slips mended that leave no doubt: null for an
 * optional argument that it left out, "3" where a number is wanted, "true" where
 * yes or no is. Anything else stays, to be refused with its name.
 */
export function mendInput(sent: unknown, schema: SchemaNode): unknown {
  if (sent === undefined || sent === null) return {};
  if (typeof sent !== "object" || Array.isArray(sent)) return sent;
  const entries = Object.entries(sent).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const wanted = Object.hasOwn(schema.properties ?? {}, name)
        ? schema.properties![name]?.type
        : undefined;
      return [name, mendValue(value, wanted)];
    }),
  );
}

function mendValue(value: unknown, wanted: string | undefined): unknown {
  if (typeof value !== "string") return value;
  const text = value.trim();
  if (wanted === "integer" && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (wanted === "number" && /^-?\d{1,15}(\.\d{1,15})?(e[-+]?\d{1,3})?$/i.test(text)) {
    return Number(text);
  }
  if (wanted === "boolean" && /^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  return value;
}
