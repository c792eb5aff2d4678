/* Compiler attributes and the few macros this code base allows itself (no control flow in any of them). */
#ifndef BASE_ATTRIBUTES_H
#define BASE_ATTRIBUTES_H

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, values_at) __attribute__((format(printf, format_at, values_at)))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
