/**
 * Direction numbers of dimensions 2, 3, …: degree and coefficients of the
 * primitive polynomial, then the first odd integers m. From S. Joe and
 * F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional
 * projections" (2008), set D(6), https://web.maths.unsw.edu.au/~fkuo/sobol/.
 */
const JOE_KUO: readonly (readonly [degree: number, coefficients: number, ...m: number[]])[] = [
  [1, 0, 1],
  [2, 1, 1, 3],
  [3, 1, 1, 3, 1],
  [3, 2, 1, 1, 1],
  [4, 1, 1, 1, 3, 3],
  [4, 4, 1, 3, 5, 13],
  [5, 2, 1, 1, 5, 5, 17],
  [5, 4, 1, 1, 5, 5, 5],
  [5, 7, 1, 1, 7, 11, 19],
  [5, 11, 1, 1, 5, 1, 1],
  [5, 13, 1, 1, 1, 3, 11],
  [5, 14, 1, 3, 5, 5, 31],
  [6, 1, 1, 3, 3, 9, 7, 49],
  [6, 13, 1, 1, 1, 15, 21, 21],
  [6, 16, 1, 3, 1, 13, 27, 49],
  [6, 19, 1, 1, 1, 15, 7, 5],
  [6, 22, 1, 3, 1, 15, 13, 25],
  [6, 25, 1, 1, 5, 5, 19, 61],
  [7, 1, 1, 3, 7, 11, 23, 15, 103],
  [7, 4, 1, 3, 7, 13, 13, 15, 69],
  [7, 7, 1, 1, 3, 13, 7, 35, 63],
  [7, 8, 1, 3, 5, 9, 1, 25, 53],
  [7, 14, 1, 3, 1, 13, 9, 35, 107],
  [7, 19, 1, 3, 1, 5, 27, 61, 31],
  [7, 21, 1, 1, 5, 11, 19, 41, 61],
  [7, 28, 1, 3, 5, 3, 3, 13, 69],
  [7, 31, 1, 1, 7, 13, 1, 19, 1],
  [7, 32, 1, 3, 7, 5, 13, 19, 59],
  [7, 37, 1, 1, 3, 9, 25, 29, 41],
  [7, 41, 1, 3, 5, 13, 23, 1, 55],
  [7, 42, 1, 3, 7, 3, 13, 59, 17],
  [7, 50, 1, 3, 1, 3, 5, 53, 69],
  [7, 55, 1, 1, 5, 5, 23, 33, 13],
  [7, 56, 1, 1, 7, 7, 1, 61, 123],
  [7, 59, 1, 1, 7, 9, 13, 61, 49],
  [7, 62, 1, 3, 3, 5, 3, 55, 33],
];

/** How many parameters a Sobol sequence can vary here. */
export const SOBOL_DIMENSIONS = JOE_KUO.length + 1;

const BITS = 32;

/** The 32 direction numbers of a dimension, which counts from 0 and is below `SOBOL_DIMENSIONS`. */
export function sobolDirections(dimension: number): Uint32Array {
  const directions = new Uint32Array(BITS);
  if (dimension === 0) {
    for (let i = 0; i < BITS; i++) directions[i] = 1 << (BITS - 1 - i);
    return directions;
  }
  const row = JOE_KUO[dimension - 1];
  if (row === undefined) throw new RangeError(`No direction numbers for dimension ${dimension}`);
  const [degree, coefficients, ...m] = row;
  for (let i = 0; i < BITS; i++) {
    if (i < degree) {
      directions[i] = m[i]! << (BITS - 1 - i);
      continue;
    }
    let bits = directions[i - degree]! ^ (directions[i - degree]! >>> degree);
    for (let k = 1; k < degree; k++) {
      if ((coefficients >>> (degree - 1 - k)) & 1) bits ^= directions[i - k]!;
    }
    directions[i] = bits;
  }
  return directions;
}

/**
 * Coordinate of the point with this index (from 0) in (0, 1), in Gray code
 * order. `shift` (32 bits) moves all points of the dimension digit by digit,
 * which keeps their even spread.
 */
export function sobolFraction(directions: Uint32Array, index: number, shift: number): number {
  let bits = shift;
  let gray = (index ^ (index >>> 1)) >>> 0;
  for (let i = 0; gray !== 0; i++, gray >>>= 1) {
    if (gray & 1) bits ^= directions[i]!;
  }
  return ((bits >>> 0) + 0.5) / 2 ** BITS;
}
