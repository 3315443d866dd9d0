/* What the harnesses share: a check that ends the run, blocks of exact size, references to compare with.
 *
 * The references are written for simplicity, and otherwise than the code they judge.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "sg.h"

#define CHECK(holds) \
    ((holds) ? (void)0 : (fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #holds), abort()))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy that ends where its block ends, so that the sanitiser sees every byte read past it. */
typedef struct {
    uint8_t *block, *at;
    size_t size;
} copied;

static inline copied room_for(size_t size, size_t shift)
{
    if (size == 0 && shift == 0)
        shift = 8; /* a block of no bytes would have one */
    copied made = {malloc(size + shift), NULL, size};
    CHECK(made.block);
    made.at = made.block + shift;
    return made;
}

static inline copied copy(const uint8_t *data, size_t size, size_t shift)
{
    copied made = room_for(size, shift);
    if (size)
        memcpy(made.at, data, size);
    return made;
}

static inline uint8_t reference_lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
}

/* As hashing.step. */
static inline uint64_t reference_step(uint64_t state, const uint8_t *part, size_t size, uint64_t factor)
{
    size_t at = 0;
    do {
        uint64_t word = 0;
        for (size_t i = 0; i < 8 && at < size; i++)
            word |= (uint64_t)reference_lower(part[at++]) << (8 * i);
        unsigned __int128 product = (unsigned __int128)(state ^ word) * (factor + 2 * size);
        state = (uint64_t)(product % ((unsigned __int128)1 << 64)) ^ (uint64_t)(product >> 64);
    } while (at < size);
    return state;
}

static inline bool reference_is_address(const uint8_t *host, size_t size)
{
    char text[INET_ADDRSTRLEN] = "";
    struct in_addr address;
    if (size && host[0] == '[')
        return true;
    if (size >= sizeof text || (size && memchr(host, 0, size)))
        return false;
    if (size)
        memcpy(text, host, size);
    return inet_pton(AF_INET, text, &address) == 1;
}

#endif
