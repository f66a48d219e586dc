import { UserError } from "../base/errors.ts";
import { nearest } from "../base/text.ts";
import type { Config, Parameter } from "./config.ts";
import { canonicalText } from "./identity.ts";
import { isNamed, neededFallback } from "./plan.ts";
import type { Plan } from "./plan.ts";
import type { Row } from "./csv.ts";
import type { Value } from "./value.ts";

/**
 * The trials that a CSV file lists. A declared parameter has the values that its
 * declaration allows, or one of its labels; without a column it is at its
 * default. A column that is not declared is a parameter of its own.
 */
export function planExplicit(config: Config, rows: readonly Row[]): Plan {
  const file = config.trialsFile ?? "trials";
  if (rows.length === 0) {
    throw new UserError(`Cannot expand the sweep: "${file}" lists no trials`, {
      hint: "Each line after the header is one trial",
    });
  }
  const columns = [...rows[0]!.cells.keys()];
  const declared = config.parameters.map((parameter) => ({
    parameter,
    column: columns.find((column) => isNamed(parameter, column)),
  }));
  const own = ownColumns(columns, config, file);
  const names = [...config.parameters.map((parameter) => parameter.name), ...own];
  const base = declared.map(({ parameter, column }) =>
    column === undefined ? neededFallback(parameter, `"${file}" has no such column`) : null
  );
  const readers = declared.map(({ parameter }) => createReader(parameter, file));
  return {
    names,
    count: rows.length,
    reckoning: `${rows.length} lines of "${file}"`,
    *rows() {
      for (const { line, cells } of rows) {
        const values = declared.map(({ column }, i) =>
          column === undefined ? base[i]! : readers[i]!(cells.get(column)!, line)
        );
        yield [...values, ...own.map((column) => cells.get(column)!)];
      }
    },
  };
}

/** Columns that no parameter declares; throws when one looks like a misspelt one. */
export function ownColumns(columns: readonly string[], config: Config, file: string): string[] {
  const isDeclared = (column: string) =>
    config.parameters.some((parameter) => isNamed(parameter, column));
  const own = columns.filter((column) => !isDeclared(column));
  const missing = config.parameters.filter((parameter) =>
    !columns.some((column) => isNamed(parameter, column))
  ).map((parameter) => parameter.name);
  for (const column of own) {
    const meant = nearest(column, missing);
    if (meant === undefined) continue;
    const message = `Cannot read "${file}": column "${column}" is not a parameter`;
    const hint = `Did you mean "${meant}"?`;
    throw new UserError(message, { hint, mistakes: [{ message, hint, file, line: 1 }] });
  }
  return own;
}

type Reader = (cell: Value, line: number) => Value;

function createReader(parameter: Parameter, file: string): Reader {
  if (parameter.type === "continuous") {
    const { low, high } = parameter;
    return (cell, line) => {
      if (typeof cell === "number" && cell >= low && cell <= high) return cell;
      throw unfit(parameter.name, cell, line, file, `Allowed are numbers from ${low} to ${high}`);
    };
  }
  // Declared for its abbreviation only: whatever the column says is a value.
  if (parameter.values.length === 0) return (cell) => cell;
  const allowed = new Map<string, Value>();
  for (const [i, value] of parameter.values.entries()) {
    const label = parameter.labels?.[i];
    if (label !== undefined) allowed.set(canonicalText(label), value);
  }
  // A value itself wins over another one's label.
  for (const value of parameter.values) allowed.set(canonicalText(value), value);
  return (cell, line) => {
    const value = allowed.get(canonicalText(cell));
    if (value !== undefined) return value;
    const shown = parameter.labels ?? parameter.values.map((item) => JSON.stringify(item));
    throw unfit(parameter.name, cell, line, file, `Allowed are ${shown.join(", ")}`);
  };
}

function unfit(name: string, cell: Value, line: number, file: string, hint: string): UserError {
  const message = `Cannot read "${file}": ${JSON.stringify(cell)} in line ${line} ` +
    `is no value of parameter "${name}"`;
  return new UserError(message, { hint, mistakes: [{ message, hint, file, line, path: name }] });
}
