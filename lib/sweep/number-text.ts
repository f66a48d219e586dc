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
 * significant digits as HyperHerd wrote them. Numbers that count as equal
 * (see `canonicalNumber`) have one text, so that a retry gets what the first
 * attempt got.
 */
export function numberText(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  return shortPlain(value) ?? formatG(value, 10);
}

/**
 * The number that stands for all that count as equal: whole numbers stand for
 * themselves, others for those that share their ten significant digits.
 */
export function canonicalNumber(value: number): number {
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  if (shortPlain(value) !== undefined) return value;
  const folded = Number(formatG(value, 10));
  // The largest doubles round up to what no double can hold.
  return Number.isFinite(folded) ? folded : value;
}

/** A sweep has many numbers of ten digits at most, in a range where both languages write no exponent. */
function shortPlain(value: number): string | undefined {
  const size = Math.abs(value);
  if (!(size >= 1e-4 && size < 1e10)) return undefined;
  const plain = String(value);
  return plain.length <= 11 ? plain : undefined;
}

/** `d.ddde±x` with so many significant digits, up to 90. JavaScript rounds exact ties up, C and Python to even. */
export function roundHalfEven(value: number, digits: number): string {
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
