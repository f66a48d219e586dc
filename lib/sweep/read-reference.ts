import { nearest } from "../base/text.ts";
import { quote } from "./fields.ts";
import { bareName } from "./parameter-name.ts";
import type { ParameterTable } from "./read-parameters.ts";
import type { Report, Spot } from "./report.ts";

/** The name as written of the parameter that a section refers to, with or without its Hydra prefix. */
export function readReference(
  name: string,
  at: Spot,
  table: ParameterTable,
  report: Report,
  doing: string,
): string | undefined {
  const written = table.names.get(bareName(name));
  if (written !== undefined) return written;
  const known = [...table.names.values()];
  const near = nearest(name, [...known, ...table.names.keys()]);
  const listed = known.length > 20 ? `${known.slice(0, 20).join(", ")}, …` : known.join(", ");
  return report.mistake(
    at,
    `Cannot ${doing} ${quote(name)}: it is not a parameter, ` +
      (known.length === 0 ? "and there are none" : `known are ${listed}`),
    near === undefined ? undefined : `Did you mean "${near}"?`,
  );
}
