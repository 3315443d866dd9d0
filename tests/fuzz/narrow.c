/* The checksum once more under other names, as it is where the processor multiplies 16 bytes at most. */
#define sg_crc32 narrow_crc32
#define sg_crc32_is_fast narrow_crc32_is_fast
#define __builtin_cpu_supports(feature) ((feature)[0] != 'v' && __builtin_cpu_supports(feature))
#include "crc.c"
