#!/usr/bin/env python3
"""Writes shortest_table.h; checks by exact arithmetic all that shortest.c assumes about it.

    python3 shortest_table.py > shortest_table.h

Both take less than a second. Nothing is written when a check fails.
"""
from fractions import Fraction
from math import gcd

Q_MIN, Q_MAX = -1074, 971  # of 2^q in a double c * 2^q
E_MIN, E_MAX = -292, 324  # of 10^e that scales it
C_MAX = 2**53 - 1
ERROR_BITS = 59  # (4c + 2) << h is below 2^59: how many units of 2^-128 a product may be too large
EXACT_BITS = 60  # a fraction below 2^EXACT_BITS counts as zero


def floor_log10_pow2(q):
    return (q * 1262611) >> 22


def floor_log10_three_quarters_pow2(q):
    return (q * 1262611 - 524031) >> 22


def floor_log2_pow10(e):
    return (e * 1741647) >> 19


def power(e):
    """10^e rounded up to 128 significant bits: (integer, binary exponent)."""
    shift = 127 - floor_log2_pow10(e)
    top = 10 ** max(e, 0) << max(shift, 0)
    bottom = 10 ** max(-e, 0) << max(-shift, 0)
    rounded = -(-top // bottom)
    assert rounded.bit_length() == 128
    return rounded, -shift


def nearest_to_integers(a, b, count):
    """The least (a * m) % b, and b less the greatest, over 1 <= m <= count; coprime, b > count.

    The record residues from both sides arise from one another as in Euclid's algorithm."""
    low, high = a % b, b - a % b
    at_low = at_high = 1
    while True:
        if low > high:
            steps = min((low - 1) // high, (count - at_low) // at_high)
            low, at_low = low - steps * high, at_low + steps * at_high
        else:
            steps = min((high - 1) // low, (count - at_high) // at_low)
            high, at_high = high - steps * low, at_high + steps * at_low
        if steps == 0:
            return low, high


def check_search():
    """The clever search against the plain one."""
    for b in range(2, 60):
        for a in range(1, b):
            for count in range(1, b):
                if gcd(a, b) == 1:
                    residues = [a * m % b for m in range(1, count + 1)]
                    assert nearest_to_integers(a, b, count) == (min(residues), b - max(residues))


def shift_for(q, k):
    h = q + floor_log2_pow10(-k) + 1
    assert 1 <= h <= 4 and E_MIN <= -k <= E_MAX
    assert power(-k)[1] + q + 128 == h  # so that the product's high word is the integer part
    assert (4 * C_MAX + 2) << h < 1 << ERROR_BITS
    return h


def check_regular(q):
    """For all c: 2c * 2^(q + 1) and its neighbours, scaled, are whole or clearly not."""
    k = floor_log10_pow2(q)
    assert Fraction(10) ** k <= Fraction(2) ** q < Fraction(10) ** (k + 1)
    shift_for(q, k)
    a = 2 ** max(q + 1, 0) * 10 ** max(-k, 0)
    b = 2 ** max(-q - 1, 0) * 10 ** max(k, 0)
    a, b = a // gcd(a, b), b // gcd(a, b)
    count = 2 * C_MAX + 1
    if b == 1:
        return Fraction(1), Fraction(1)  # always whole
    low, high = nearest_to_integers(a, b, count) if b > count else (1, 1)
    assert low << 128 >= b << EXACT_BITS  # a real fraction never passes for zero
    assert high << 128 > b << ERROR_BITS  # nor does the error carry it into the integer part
    return Fraction(low, b), Fraction(high, b)


def check_irregular(q):
    """c = 2^52, whose lower neighbour is nearer: three numbers, computed both ways."""
    k = floor_log10_three_quarters_pow2(q)
    assert Fraction(10) ** k <= Fraction(3, 4) * Fraction(2) ** q < Fraction(10) ** (k + 1)
    h = shift_for(q, k)
    for x in (2**54 - 1, 2**54, 2**54 + 2):
        exact = x * Fraction(2) ** q / Fraction(10) ** k
        product = (x << h) * power(-k)[0]
        assert product >> 128 == exact.numerator // exact.denominator
        assert (product % 2**128 >= 1 << EXACT_BITS) == (exact.denominator != 1)


def check():
    check_search()
    margins = [check_regular(q) for q in range(Q_MIN, Q_MAX + 1)]
    for q in range(Q_MIN + 1, Q_MAX + 1):
        check_irregular(q)
    least, most = (min(m[i] for m in margins) for i in (0, 1))
    return float(least * 2**64), float(most * 2**64)


def main():
    least, most = check()
    print("/* Written by shortest_table.py: 10^e from -292 to 324, scaled to 128 bits, rounded up.")
    print(" * Scaled values that are not whole are at least %.2f / 2^64 above an integer" % least)
    print(" * and %.2f / 2^64 below one. */" % most)
    print("#ifndef STEPI_BASE_SHORTEST_TABLE_H\n#define STEPI_BASE_SHORTEST_TABLE_H\n")
    print('#include "base/wide.h"\n')
    print("enum { STEPI_POWER_MIN = %d, STEPI_POWER_MAX = %d };\n" % (E_MIN, E_MAX))
    print("static const stepi_wide_t stepi_powers[STEPI_POWER_MAX - STEPI_POWER_MIN + 1] = {")
    for e in range(E_MIN, E_MAX + 1):
        g = power(e)[0]
        print("    { .high = 0x%016XU, .low = 0x%016XU }, /* %d */" % (g >> 64, g % 2**64, e))
    print("};\n\n#endif")


if __name__ == "__main__":
    main()
