/**
 * Text of a number as Python's `"%.<digits>g" % value` gives it: rounded half to
 * even on the exact binary value, no trailing zeros, exponent of at least two
 * digits below 1e-04 and from 10^digits on. `digits` is 1 to 17.
 */
export function formatG(value: number, digits: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  return layOut(roundHalfEven(value, digits), digits);
}

/** The fewest digits that read back as the same number, laid out as Python's repr does, without ".0". */
export function shortestText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return formatG(value, 17);
  return layOut(value.toExponential(), 16);
}

/**
 * What a trainer is told of a number: whole ones whole, others with ten
 * significant digits as HyperHerd wrote them. A number that ten digits would
 * change by more than rounding noise (a few units in the last place, as in
 * 0.1 + 0.2) keeps all its digits: somebody wrote them.
 */
export function numberText(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  const size = Math.abs(value);
  const plain = String(value);
  // Ten digits at most, in a range where both languages write no exponent: a sweep has many.
  if (size >= 1e-4 && size < 1e10 && plain.length <= 11) return plain;
  const short = formatG(value, 10);
  if (!Number.isFinite(value)) return short;
  return Math.abs(Number(short) - value) <= size * NOISE ? short : shortestText(value);
}

/**
 * The number that stands for all that count as equal: whole numbers stand for
 * themselves, others for those that share their ten significant digits.
 */
export function canonicalNumber(value: number): number {
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  const folded = Number(value.toPrecision(10));
  // The largest doubles round up to what no double can hold.
  return Number.isFinite(folded) ? folded : value;
}

const NOISE = 1e-14;

/** `d.ddde±x`. JavaScript rounds exact ties up, C and Python to even. */
function roundHalfEven(value: number, digits: number): string {
  const up = value.toExponential(digits - 1);
  const longer = value.toExponential(digits);
  const at = longer.indexOf("e");
  if (longer[at - 1] !== "5" || Number(longer) !== value || !exactly(value, longer)) return up;
  const down = longer.slice(0, at - 1).replace(/\.$/, "") + longer.slice(at);
  const last = Number(longer.slice(0, at - 1).replace(".", "").at(-1));
  return last % 2 === 0 ? down : up;
}

/** Whether the text is the number's exact value: 99 digits tell a tie from its nearest neighbour. */
function exactly(value: number, text: string): boolean {
  const [mantissa] = value.toExponential(99).split("e");
  const [wanted] = text.split("e");
  return mantissa!.startsWith(wanted!) && /^0*$/.test(mantissa!.slice(wanted!.length));
}

function layOut(scientific: string, digits: number): string {
  const [mantissa, power] = scientific.split("e");
  const exponent = Number(power);
  const sign = mantissa!.startsWith("-") ? "-" : "";
  const figures = mantissa!.replace("-", "").replace(".", "").replace(/0+$/, "");
  if (exponent < -4 || exponent >= digits) {
    const rest = figures.length > 1 ? `.${figures.slice(1)}` : "";
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${figures[0]}${rest}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${figures}`;
  const whole = figures.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  const fraction = figures.slice(exponent + 1);
  return fraction === "" ? sign + whole : `${sign}${whole}.${fraction}`;
}
