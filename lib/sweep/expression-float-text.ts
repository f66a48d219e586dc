import { roundHalfEven } from "./number-text.ts";

/**
 * A number from zero on as Python's `%.<precision>f` writes it, rounded half to
 * even on the exact binary value. `keep` is the flag `#`: the point stays.
 */
export function fixedText(size: number, precision: number, keep: boolean): string {
  const { numerator, denominator } = fraction(size);
  const scaled = numerator * 10n ** BigInt(precision);
  let units = scaled / denominator;
  const twice = (scaled % denominator) * 2n;
  if (twice > denominator || (twice === denominator && units % 2n === 1n)) units += 1n;
  const text = units.toString().padStart(precision + 1, "0");
  const point = text.length - precision;
  if (precision === 0) return keep ? `${text}.` : text;
  return `${text.slice(0, point)}.${text.slice(point)}`;
}

/** As `%.<precision>e`. */
export function scientificText(size: number, precision: number, keep: boolean): string {
  const [mantissa, power] = partsOf(size, precision + 1);
  const point = keep && precision === 0 ? "." : "";
  return `${mantissa}${point}e${exponentText(power)}`;
}

/** As `%.<precision>g`; `keep` keeps trailing zeros, too. */
export function generalText(size: number, precision: number, keep: boolean): string {
  const digits = Math.max(1, precision);
  const [mantissa, power] = partsOf(size, digits);
  if (power >= -4 && power < digits) {
    const text = fixedText(size, digits - 1 - power, keep);
    return keep ? text : trimmed(text);
  }
  const point = keep && !mantissa.includes(".") ? "." : "";
  return `${keep ? mantissa + point : trimmed(mantissa)}e${exponentText(power)}`;
}

function partsOf(size: number, digits: number): [mantissa: string, power: number] {
  if (size === 0) return [digits === 1 ? "0" : `0.${"0".repeat(digits - 1)}`, 0];
  const [mantissa, power] = roundHalfEven(size, digits).split("e");
  return [mantissa!, Number(power)];
}

function exponentText(power: number): string {
  return `${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** The exact value of a double. */
function fraction(size: number): { numerator: bigint; denominator: bigint } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, size);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const low = bits & 0xf_ffff_ffff_ffffn;
  const mantissa = exponent === 0 ? low : low | (1n << 52n);
  const shift = (exponent === 0 ? 1 : exponent) - 1075;
  return shift >= 0
    ? { numerator: mantissa << BigInt(shift), denominator: 1n }
    : { numerator: mantissa, denominator: 1n << BigInt(-shift) };
}
