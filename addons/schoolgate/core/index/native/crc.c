/* CRC-32 as zlib's (ISO 3309), at the speed of memory where the processor multiplies without carry.
 *
 * A message is congruent, modulo the polynomial, to what is left when its first bits are multiplied
 * by x^n and added to those n bits further on. So four lanes fold the message to their own size,
 * then onto each other, and what is left has the checksum of the whole. The constants are powers of
 * x modulo the polynomial, bits reversed: x^(n + 32) and x^(n - 32) to fold by n bits.
 */
#include "sg.h"

static uint32_t by_bits(uint32_t remainder, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        remainder ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            remainder = (remainder >> 1) ^ (UINT32_C(0xEDB88320) & -(remainder & 1));
    }
    return remainder;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define NARROW __attribute__((target("pclmul,sse4.1")))
#define WIDE __attribute__((target("vpclmulqdq,avx2")))

static bool has_narrow(void)
{
    return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

static bool has_wide(void)
{
    return __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx2");
}

NARROW static __m128i narrow(__m128i lane, __m128i next, __m128i by)
{
    return _mm_xor_si128(next,
        _mm_xor_si128(_mm_clmulepi64_si128(lane, by, 0x00), _mm_clmulepi64_si128(lane, by, 0x11)));
}

NARROW static uint32_t by_folding(uint32_t remainder, const uint8_t *data, size_t size)
{
    const __m128i by_512 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);
    const __m128i by_128 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
    __m128i lane[4];
    uint8_t rest[16];
    memcpy(lane, data, sizeof lane);
    lane[0] = _mm_xor_si128(lane[0], _mm_cvtsi32_si128((int)remainder));
    for (data += 64, size -= 64; size >= 64; data += 64, size -= 64)
        for (int i = 0; i < 4; i++)
            lane[i] = narrow(lane[i], _mm_loadu_si128((const void *)(data + 16 * i)), by_512);
    for (int i = 1; i < 4; i++)
        lane[i] = narrow(lane[i - 1], lane[i], by_128);
    memcpy(rest, &lane[3], sizeof rest);
    return by_bits(by_bits(0, rest, sizeof rest), data, size);
}

WIDE static __m256i wide(__m256i lane, __m256i next, __m256i by)
{
    return _mm256_xor_si256(next, _mm256_xor_si256(_mm256_clmulepi64_epi128(lane, by, 0x00),
                                      _mm256_clmulepi64_epi128(lane, by, 0x11)));
}

WIDE static uint32_t by_wide_folding(uint32_t remainder, const uint8_t *data, size_t size)
{
    const __m256i by_1024 = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x14a7fe880, 0x1e88ef372));
    const __m256i by_256 = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x15a546366, 0xf1da05aa));
    __m256i lane[4];
    uint8_t rest[32];
    memcpy(lane, data, sizeof lane);
    lane[0] = _mm256_xor_si256(lane[0], _mm256_zextsi128_si256(_mm_cvtsi32_si128((int)remainder)));
    for (data += 128, size -= 128; size >= 128; data += 128, size -= 128)
        for (int i = 0; i < 4; i++)
            lane[i] = wide(lane[i], _mm256_loadu_si256((const void *)(data + 32 * i)), by_1024);
    for (int i = 1; i < 4; i++)
        lane[i] = wide(lane[i - 1], lane[i], by_256);
    memcpy(rest, &lane[3], sizeof rest);
    return by_bits(by_bits(0, rest, sizeof rest), data, size);
}

bool sg_crc32_is_fast(void)
{
    return has_narrow();
}

uint32_t sg_crc32(const uint8_t *data, size_t size)
{
    const uint32_t start = UINT32_C(0xFFFFFFFF);
    if (size >= 128 && has_wide())
        return ~by_wide_folding(start, data, size);
    if (size >= 64 && has_narrow())
        return ~by_folding(start, data, size);
    return ~by_bits(start, data, size);
}
#else
bool sg_crc32_is_fast(void)
{
    return false;
}

uint32_t sg_crc32(const uint8_t *data, size_t size)
{
    return ~by_bits(UINT32_C(0xFFFFFFFF), data, size);
}
#endif
