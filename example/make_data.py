"""Makes waveform.csv: 600 rows of a synthetic problem. `python3 make_data.py > waveform.csv`

This is the waveform problem of Breiman, Friedman, Olshen and Stone, "Classification and
Regression Trees" (1984), section 2.6.2, drawn anew here: every row mixes two of three
triangular waves in a random proportion and adds noise to each of 21 points. The class says
which two. No classifier can be much better than 86 %. Nobody measured these numbers.
"""

import math
import random
import sys

ROWS = 600
POINTS = 21
PEAKS = (6, 14, 10)
PAIRS = ((0, 1), (0, 2), (1, 2))


def wave(number, point):
    return max(6 - abs(point - PEAKS[number]), 0)


def normal(draw):
    """Box-Muller by hand: unlike random.gauss, the same in every version of Python."""
    radius = math.sqrt(-2.0 * math.log(1.0 - draw.random()))
    return radius * math.cos(2.0 * math.pi * draw.random())


def main():
    draw = random.Random(1984)
    out = sys.stdout
    out.write(",".join(["x%d" % point for point in range(1, POINTS + 1)] + ["class"]) + "\n")
    for row in range(ROWS):
        label = row % len(PAIRS)
        first, second = PAIRS[label]
        share = draw.random()
        values = []
        for point in range(1, POINTS + 1):
            clean = share * wave(first, point) + (1.0 - share) * wave(second, point)
            # + 0.0 writes -0.0 as 0.0.
            values.append("%.1f" % (round(clean + normal(draw), 1) + 0.0))
        out.write(",".join(values + [str(label)]) + "\n")


if __name__ == "__main__":
    main()
