const NULL = /^(?:~|null|Null|NULL)?$/;
const TRUE = /^(?:true|True|TRUE)$/;
const FALSE = /^(?:false|False|FALSE)$/;
const WHOLE = /^[-+]?[0-9]+$/;
const OTHER_BASE = /^0(?:o[0-7]+|x[0-9a-fA-F]+)$/;
const REAL = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/**
 * What an unquoted YAML 1.2 scalar means: null, a boolean, a number, else text.
 * A number that a double cannot hold (a long id, 1e999) stays text, so that a
 * trainer gets it as it was written.
 */
export function scalar(text: string): null | boolean | number | string {
  if (NULL.test(text)) return null;
  if (TRUE.test(text)) return true;
  if (FALSE.test(text)) return false;
  // Plus zero: minus zero shows as -0 and is no other number.
  if (WHOLE.test(text) || OTHER_BASE.test(text)) {
    const number = Number(text) + 0;
    return Number.isSafeInteger(number) ? number : text;
  }
  if (!REAL.test(text)) return text;
  const number = Number(text) + 0;
  return Number.isFinite(number) ? number : text;
}
