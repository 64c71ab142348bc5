/*
 * poison: parts of files that no encoder survived. A short list without I/O; when it is full the
 * oldest is forgotten, and gets another chance.
 */
#ifndef VCZFS_FUSED_POISON_H
#define VCZFS_FUSED_POISON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POISON_MAX 64

struct poison {
    struct poison_range {
        uint64_t file, begin, end;
    } ranges[POISON_MAX];
    size_t nranges;
    size_t next; /* the one to overwrite when full */
};

void poison_add(struct poison *poison, uint64_t file, uint64_t begin, uint64_t end);

/* How many of the length bytes at offset come before a poisoned one: 0 if the first is one. */
uint64_t poison_clip(const struct poison *poison, uint64_t file, uint64_t offset, uint64_t length);

#endif
