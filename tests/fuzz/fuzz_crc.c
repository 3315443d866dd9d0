/* The checksum against the plain definition, for every length and alignment.
 *
 * Input: how far the block is shifted, then the bytes.
 */
#include "fuzz.h"

uint32_t narrow_crc32(const uint8_t *data, size_t size);

static uint32_t mirrored(uint32_t word, int bits)
{
    uint32_t image = 0;
    for (int i = 0; i < bits; i++)
        image |= ((word >> i) & 1) << (bits - 1 - i);
    return image;
}

/* The division as the standard writes it down: the polynomial and the remainder not mirrored. */
static uint32_t reference(const uint8_t *data, size_t size)
{
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t remainder = byte << 24;
            for (int bit = 0; bit < 8; bit++)
                remainder = remainder & 0x80000000 ? remainder << 1 ^ 0x04C11DB7 : remainder << 1;
            table[byte] = remainder;
        }
    uint32_t remainder = 0xFFFFFFFF;
    for (size_t i = 0; i < size; i++)
        remainder = remainder << 8 ^ table[remainder >> 24 ^ mirrored(data[i], 8)];
    return ~mirrored(remainder, 32);
}

static void compare(const uint8_t *data, size_t size, size_t shift)
{
    copied block = copy(data, size, shift);
    uint32_t wanted = reference(block.at, size);
    CHECK(sg_crc32(block.at, size) == wanted);
    CHECK(narrow_crc32(block.at, size) == wanted);
    free(block.block);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    CHECK(reference((const uint8_t *)"123456789", 9) == 0xCBF43926);
    /* A whole chunk of the file, and its neighbours. */
    size_t size = (1 << 20) + 1;
    uint8_t *chunk = malloc(size);
    CHECK(chunk);
    for (size_t i = 0; i < size; i++)
        chunk[i] = (uint8_t)(i * 2654435761u >> 13);
    for (size_t less = 0; less < 3; less++)
        compare(chunk, size - less, less);
    free(chunk);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    compare(data + 1, size - 1, data[0] % 64);
    return 0;
}
