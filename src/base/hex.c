#include "base/hex.h"

/* clang-format off */
#define ROW(upper)                                                                                                     \
    upper "0" upper "1" upper "2" upper "3" upper "4" upper "5" upper "6" upper "7"                                    \
    upper "8" upper "9" upper "a" upper "b" upper "c" upper "d" upper "e" upper "f"

const char stepi_hex_pairs[513] =
    ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6") ROW("7")
    ROW("8") ROW("9") ROW("a") ROW("b") ROW("c") ROW("d") ROW("e") ROW("f");
/* clang-format on */
