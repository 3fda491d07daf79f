/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_ARRAY_H
#define RUNTIME_ARRAY_H

/* How many elements an array has, a constant. A pointer, whose size does not tell, does not compile. */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]) + 0 * sizeof(ARRAY_NO_POINTER(array)))
#define ARRAY_NO_POINTER(array)                                                                              \
	struct {                                                                                             \
		int no_pointer : 1 -                                                                         \
			2 * __builtin_types_compatible_p(__typeof__(array), __typeof__(&(array)[0]));        \
	}

/* What qsort() and bsearch() ask of two numbers. */
#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

#endif
