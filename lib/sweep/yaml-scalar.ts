import { scalar } from "./scalar.ts";

/** What a scalar without quotes means, and what is worth saying about it. */
export interface ScalarReading {
  value: null | boolean | number | string;
  notice?: string;
  /** It cannot be used at all. */
  mistake?: string;
}

const INTEGER = /^[-+]?\d+$/;
const FLOAT = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/;
const INFINITE = /^[-+]?\.(inf|Inf|INF)$/;
const NOT_A_NUMBER = /^\.(nan|NaN|NAN)$/;
const GROUPED = /^[-+]?\d[\d_]*_[\d_]*(\.[\d_]*)?([eE][-+]?\d+)?$/;
const SEXAGESIMAL = /^[-+]?[1-9]\d*(:[0-5]?\d)+(\.\d*)?$/;
const BINARY = /^[-+]?0b[01_]+$/;

/**
 * Reads a plain scalar by the YAML 1.2 core rules, with an eye on files that
 * were written for PyYAML (YAML 1.1): its words for booleans and its grouped
 * digits keep their meaning, and each difference is said.
 */
export function readPlain(text: string): ScalarReading {
  if (/^(yes|on|no|off)$/i.test(text)) {
    return readAs(text, /^(yes|on)$/i.test(text));
  }
  if (NOT_A_NUMBER.test(text)) {
    return { value: text, mistake: `found ${text}, expected a number` };
  }
  if (INFINITE.test(text)) {
    // JSON has no such number: the text that Python writes for it goes to the trainer.
    const value = text.startsWith("-") ? "-inf" : "inf";
    return { value, notice: `Read ${text} as the text ${value}, which compares as infinity` };
  }
  const value = scalar(text);
  if (typeof value === "string") return readForeign(text);
  return typeof value === "number" && /^[-+]?0\d+$/.test(text) ? readAs(text, value) : { value };
}

/** Texts of YAML 1.2 that are something else to PyYAML, and numbers that a double cannot hold. */
function readForeign(text: string): ScalarReading {
  if (INTEGER.test(text)) {
    return {
      value: text,
      notice: `Kept ${text} as text so that no digit is lost: write "${text}" in quotes`,
    };
  }
  if (FLOAT.test(text)) {
    return { value: text, mistake: `found ${text}, expected a number below 1.8e308` };
  }
  if (GROUPED.test(text)) {
    const value = scalar(text.replaceAll("_", ""));
    return typeof value === "number" ? readAs(text, value) : { value: text };
  }
  if (SEXAGESIMAL.test(text) || BINARY.test(text)) {
    const base = BINARY.test(text) ? 2 : 60;
    return {
      value: text,
      notice: `Read ${text} as text, not as a number in base ${base}: write "${text}" in quotes`,
    };
  }
  return { value: text };
}

function readAs(text: string, value: boolean | number): ScalarReading {
  return {
    value,
    notice: `Read ${text} as ${value}: write ${value}, or "${text}" in quotes for the text`,
  };
}
