#include "tidegate.h"

#include <stdlib.h>
#include <string.h>

// Where memory that nothing uses begins; the linker knows.
extern unsigned char __heap_base;

enum { ALIGNMENT = 16, PAGE = 65536 };

static size_t used_until;

// Each block is preceded by its size, which only `realloc` asks for.
void *malloc(size_t size) {
    if (used_until == 0) used_until = (size_t)&__heap_base;
    size_t start = (used_until + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + ALIGNMENT;
    size_t end = start + size;
    if (end < size) return NULL;
    size_t there = __builtin_wasm_memory_size(0) * PAGE;
    if (end > there) {
        size_t pages = (end - there - 1) / PAGE + 1;
        if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) return NULL;
    }
    used_until = end;
    *(size_t *)(start - ALIGNMENT) = size;
    return (void *)start;
}

void *realloc(void *old, size_t size) {
    void *new = malloc(size);
    if (old != NULL && new != NULL) {
        size_t old_size = *(size_t *)((size_t)old - ALIGNMENT);
        memcpy(new, old, old_size < size ? old_size : size);
    }
    return new;
}

void free(void *block) { (void)block; }

// The build embeds the component's type, so there is no object to link.
void __component_type_object_force_link_gate(void) {}

void *take(size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) __builtin_trap();
    void *block = malloc(count * size);
    if (block == NULL) __builtin_trap();
    return memset(block, 0, count * size);
}

text join(const text *parts, size_t count) {
    size_t length = 0;
    for (size_t i = 0; i < count; i++) length += parts[i].len;
    text all = {take(length, 1), length};
    uint8_t *at = all.ptr;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0) memcpy(at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    return all;
}

text number(uint32_t value) {
    uint8_t digits[10];
    size_t from = sizeof digits;
    do {
        digits[--from] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return join(&(text){digits + from, sizeof digits - from}, 1);
}

bool same(text one, text other) {
    return one.len == other.len && (one.len == 0 || memcmp(one.ptr, other.ptr, one.len) == 0);
}

bool find(const tidegate_hooks_types_entry_t *entries, size_t count, text name, text *value) {
    for (size_t i = 0; i < count; i++) {
        if (same(entries[i].name, name)) {
            *value = entries[i].value;
            return true;
        }
    }
    return false;
}

bool read_number(text digits, uint32_t most, uint32_t *value) {
    uint64_t sum = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9') return false;
        sum = sum * 10 + (digits.ptr[i] - '0');
        if (sum > most) return false;
    }
    *value = (uint32_t)sum;
    return sum > 0;
}
