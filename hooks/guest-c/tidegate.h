// What the author of a Tidegate hook in C includes: the contract as generated
// in gate.h, and a few words for texts, which in it are a pointer and a length.
//
// Memory is taken and never given back: a sandbox lives for one attempt.
// `free` does nothing, so texts may be literals and may be shared.
#ifndef TIDEGATE_H
#define TIDEGATE_H

#include "gate.h"

typedef gate_string_t text;

// A literal as a text.
#define TEXT(literal) ((text){(uint8_t *)(literal), sizeof(literal) - 1})

// Several texts as one: JOIN(TEXT("port "), number(443)).
#define JOIN(...)                  \
    join((const text[]){__VA_ARGS__}, \
         sizeof((const text[]){__VA_ARGS__}) / sizeof(text))

text join(const text *parts, size_t count);

// In decimal digits.
text number(uint32_t value);

bool same(text one, text other);

// The value of this name; false if there is none.
bool find(const tidegate_hooks_types_entry_t *entries, size_t count, text name, text *value);

// Decimal digits and nothing else, from 1 to `most`.
bool read_number(text digits, uint32_t most, uint32_t *value);

// Memory for so many things of this size, zeroed. Traps if there is no more.
void *take(size_t count, size_t size);

#endif
