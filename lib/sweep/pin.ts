import { UserError } from "../base/errors.ts";
import { nearest } from "../base/text.ts";
import { bareName } from "./parameter-name.ts";
import type { Value } from "./value.ts";

/** A filter: only trials whose parameter has this value. */
export interface Pin {
  parameter: string;
  text: string;
}

/**
 * Reads `name=value` pins. The name must be a swept parameter, with or without its
 * Hydra prefix; `fixed` are the names that static overrides set, for a better message.
 */
export function parsePins(
  texts: readonly string[],
  parameters: readonly string[],
  fixed: readonly string[],
): Pin[] {
  return texts.map((text) => {
    const equals = text.indexOf("=");
    if (equals <= 0) {
      throw new UserError(`Cannot read pin "${text}": it has no name and value`, {
        hint: "Write it as name=value, such as --pin lr=0.1",
      });
    }
    const name = text.slice(0, equals);
    const parameter = parameters.find((one) => one === name) ??
      parameters.find((one) => bareName(one) === bareName(name));
    if (parameter !== undefined) return { parameter, text: text.slice(equals + 1) };
    const bare = parameters.map(bareName);
    if (fixed.some((one) => bareName(one) === bareName(name))) {
      throw new UserError(
        `Cannot pin "${name}": it is a static override, the same in every trial`,
        {
          hint: `Swept parameters are ${bare.join(", ")}`,
        },
      );
    }
    const guess = nearest(bareName(name), bare);
    throw new UserError(`Cannot pin "${name}": it is no parameter of the sweep`, {
      hint: guess === undefined
        ? `Swept parameters are ${bare.join(", ")}`
        : `Did you mean "${guess}"?`,
    });
  });
}

/** Whether a trial's values agree with every pin. Numbers agree as numbers: 32 and 32.0 and 3.2e1. */
export function matchesPins(
  params: Readonly<Record<string, Value>>,
  pins: readonly Pin[],
): boolean {
  return pins.every(({ parameter, text }) => agrees(params[parameter], text));
}

function agrees(value: Value | undefined, text: string): boolean {
  if (value === undefined) return false;
  if (typeof value === "number") {
    const number = text.trim() === "" ? NaN : Number(text);
    return Math.abs(number - value) <= 1e-9 * Math.max(Math.abs(number), Math.abs(value));
  }
  if (typeof value === "boolean") return text.toLowerCase() === String(value);
  if (value === null) return ["null", "none", "~", ""].includes(text.toLowerCase());
  return typeof value === "string"
    ? value === text
    : JSON.stringify(value) === text.replaceAll(" ", "");
}
