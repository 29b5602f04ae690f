// The same program, compiled as C++.
#include "contract.c"
