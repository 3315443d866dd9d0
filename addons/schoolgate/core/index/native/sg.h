/* The native half of the site index: the same file, the same answers as the Python beside it.
 *
 * The format is described in ../layout.py. Nothing in here knows Python, so that the fuzzers link
 * it alone; module.c is the binding. Numbers in the file are in the byte order of the machine.
 */
#ifndef SG_H
#define SG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef __SIZEOF_INT128__
#error "the native index needs 128-bit products; without it the Python reader is used"
#endif

#define SG_SLOTS 9
#define SG_ROW_ESCAPED 0xFFFFu
#define SG_HAS_BELOW 0x80u /* in a slot's high byte: longer names or paths exist */
#define SG_ROW_HAS_PATHS 1u
/* The remainder of a claim number: the host with what is below it, the host alone, only below. */
#define SG_REACHES 3
#define SG_REACH_HOST 1
#define SG_REACH_BELOW 2
#define SG_TAG_BITS 39

/* A loaded number may stand at any address: a file image need not be aligned. */
#define SG_PACKED __attribute__((packed, aligned(1)))

typedef struct SG_PACKED {
    uint32_t tag[SG_SLOTS]; /* 0: empty */
    uint16_t row[SG_SLOTS];
    uint8_t high[SG_SLOTS]; /* 7 more bits of the tag, SG_HAS_BELOW */
    uint8_t passed;         /* which kinds of nodes found this bucket full and went on */
} sg_bucket;

typedef struct SG_PACKED {
    uint32_t here;   /* set of a host that ends at this node */
    uint32_t below;  /* set of a host that goes on below it */
    uint32_t claims; /* claim set: who lists this node, and as what */
    uint32_t flags;
} sg_row;

typedef struct SG_PACKED {
    uint32_t slot; /* bucket * SG_SLOTS + position, ascending */
    uint32_t row;
} sg_escape;

typedef enum {
    SG_CHECKSUMS,
    SG_BUCKETS,
    SG_ROWS,
    SG_ESCAPES,
    SG_SET_ENDS,
    SG_SET_MEMBERS,
    SG_CLAIM_ENDS,
    SG_CLAIM_MEMBERS,
    SG_ABOUT,
    SG_SECTIONS
} sg_section;

/* The header as ../layout.py writes it; the offsets are from the start of the image. */
typedef struct SG_PACKED {
    uint8_t magic[8];
    uint32_t byte_order, version, header_crc, tag_bits;
    uint64_t file_size, body_start, seed, n_buckets, n_nodes, n_entries;
    uint32_t max_probes, chunk_size;
    struct SG_PACKED {
        uint64_t start, size;
    } section[SG_SECTIONS];
} sg_header;

/* -- hashing ----------------------------------------------------------------------------------- */

#define SG_HOST_FACTOR UINT64_C(0x9E3779B97F4A7C15)
#define SG_PATH_FACTOR UINT64_C(0xD6E8FEB86659FD93)

static inline uint64_t sg_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Lower-case eight ASCII letters at once; other bytes stay. */
static inline uint64_t sg_lower(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t low = word & ~tops;
    uint64_t from_a = low + ones * (0x80 - 'A'), after_z = low + ones * (0x80 - 'Z' - 1);
    return word | (((from_a ^ after_z) & ~word & tops) >> 2);
}

static inline uint64_t sg_load(const uint8_t *text, size_t size)
{
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)text[i] << (8 * i);
    return word;
}

static inline uint64_t sg_load8(const uint8_t *text)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t word;
    memcpy(&word, text, 8);
    return word;
#else
    return sg_load(text, 8);
#endif
}

/* The last one to eight bytes of a part, without a loop and without reading past them. */
static inline uint64_t sg_load_tail(const uint8_t *text, size_t size)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (size == 8)
        return sg_load8(text);
    if (size >= 4) {
        uint32_t first, last;
        memcpy(&first, text, 4);
        memcpy(&last, text + size - 4, 4);
        return first | ((uint64_t)last << (8 * (size - 4)));
    }
    if (size == 0)
        return 0;
    return text[0] | ((uint64_t)text[size / 2] << (8 * (size / 2)))
        | ((uint64_t)text[size - 1] << (8 * (size - 1)));
#else
    return sg_load(text, size);
#endif
}

/* The state of a node from its parent's and its own label or path segment, in any case. */
static inline uint64_t sg_step(uint64_t state, const uint8_t *part, size_t size, uint64_t factor)
{
    uint64_t multiplier = factor + 2 * (uint64_t)size;
    while (size > 8) {
        state = sg_fold(state ^ sg_lower(sg_load8(part)), multiplier);
        part += 8;
        size -= 8;
    }
    return sg_fold(state ^ sg_lower(sg_load_tail(part, size)), multiplier);
}

/* Where a node may stand, from its state. */
typedef struct {
    uint64_t bucket;
    uint32_t tag;
    uint8_t high;
    uint8_t kind;
} sg_place;

static inline sg_place sg_place_of(uint64_t state, uint64_t n_buckets, uint64_t tag_mask)
{
    uint64_t tag = state & tag_mask;
    uint32_t low = (uint32_t)tag;
    sg_place place = {
        (uint64_t)(((unsigned __int128)state * n_buckets) >> 64),
        low + (low == 0),
        (uint8_t)(tag >> 32) & 0x7F,
        (uint8_t)(1u << ((state >> 39) & 7)),
    };
    return place;
}

/* The length of a host without its root dot. */
static inline size_t sg_host_size(const uint8_t *host, size_t size)
{
    return size > 1 && host[size - 1] == '.' ? size - 1 : size;
}

bool sg_is_address(const uint8_t *host, size_t size);

/* The start of the label that ends before end; an address is one label. */
static inline size_t sg_label_start(const uint8_t *host, size_t end)
{
    while (end > 0 && host[end - 1] != '.')
        end--;
    return end;
}

/* The end of the path segment that starts at start. */
static inline size_t sg_segment_end(const uint8_t *path, size_t size, size_t start)
{
    while (start < size && path[start] != '/')
        start++;
    return start;
}

/* -- reading ----------------------------------------------------------------------------------- */

typedef struct {
    uint64_t seed, tag_mask, n_buckets;
    uint32_t max_probes, n_rows, n_sets, n_claim_sets;
    const sg_bucket *buckets;
    const sg_row *rows;
    const sg_escape *escapes;
    uint64_t n_escapes;
} sg_index;

/* Nodes on the way of a host that have path entries; the walk of a path goes on from their states. */
#define SG_TRAIL 16
typedef struct {
    uint32_t count; /* may exceed SG_TRAIL: then the rest is not noted */
    bool to_the_end; /* the last of them is the host itself */
    uint64_t state[SG_TRAIL];
} sg_trail;

/* Path entries that cover a path: twice the claim set, and 1 where their host is the one asked for. */
#define SG_MATCHES 16
typedef struct {
    uint32_t count; /* more than SG_MATCHES: there are too many to be noted */
    uint32_t match[SG_MATCHES];
} sg_matches;

/* One node that lists something: where its name begins in the host or ends in the path. */
typedef struct {
    size_t host_start, path_end;
    uint32_t claims;
} sg_step_found;

typedef bool (*sg_found)(void *context, const sg_step_found *step);

/* NULL when the image is sound, otherwise what is wrong with it. */
const char *sg_open(sg_index *index, const uint8_t *image, size_t size);
uint32_t sg_get(const sg_index *index, const uint8_t *host, size_t size);
uint32_t sg_get_trail(const sg_index *index, const uint8_t *host, size_t size, sg_trail *trail);
void sg_get_many(
    const sg_index *index, size_t n, const uint8_t *const *hosts, const size_t *sizes, uint32_t *sets);
/* Whether every origin reads a path in one way, so that only its case need be folded. */
bool sg_path_is_plain(const uint8_t *path, size_t size);
void sg_match_path(const sg_index *index, const sg_trail *trail, const uint8_t *path, size_t size,
    sg_matches *matches);
/* Every node with claims that covers host and path, from the right; false when found said so. */
bool sg_walk(
    const sg_index *index, const uint8_t *host, size_t host_size, const uint8_t *path, size_t path_size,
    sg_found found, void *context);

/* -- checksum ---------------------------------------------------------------------------------- */

bool sg_crc32_is_fast(void);
uint32_t sg_crc32(const uint8_t *data, size_t size);

/* -- building ---------------------------------------------------------------------------------- */

typedef struct sg_builder sg_builder;

typedef enum { SG_OK, SG_NO_MEMORY, SG_COLLISION, SG_TOO_MANY } sg_status;

typedef bool (*sg_refused)(void *context, size_t start, size_t size);

typedef struct {
    const uint32_t *numbers;
    size_t count;
} sg_numbers;

sg_builder *sg_builder_new(uint64_t seed, unsigned tag_bits);
void sg_builder_free(sg_builder *builder);
/* Take every plain line of a text, which must live as long as the builder; tell of the others. */
sg_status sg_builder_add(
    sg_builder *builder, const uint8_t *text, size_t size, uint32_t pair, sg_refused refused,
    void *context);
/* Take one entry in lower case; an empty path is the whole site. */
sg_status sg_builder_add_one(
    sg_builder *builder, const uint8_t *host, size_t size, const uint8_t *path, size_t path_size,
    uint32_t claim_number);
/* After the last text: number the sets and rows. categories: of each pair. */
sg_status sg_builder_finish(sg_builder *builder, const uint16_t *categories, uint32_t n_pairs);
uint64_t sg_builder_n_buckets(const sg_builder *builder);
uint64_t sg_builder_n_nodes(const sg_builder *builder);
/* Fill n_buckets buckets of zeros. */
sg_status sg_builder_place(sg_builder *builder, sg_bucket *buckets);
uint32_t sg_builder_max_probes(const sg_builder *builder);
sg_numbers sg_builder_rows(const sg_builder *builder);       /* four numbers each, as sg_row */
sg_numbers sg_builder_row_counts(const sg_builder *builder); /* nodes of each row */
sg_numbers sg_builder_escapes(const sg_builder *builder);
sg_numbers sg_builder_set_ends(const sg_builder *builder);
sg_numbers sg_builder_set_members(const sg_builder *builder);
sg_numbers sg_builder_claim_ends(const sg_builder *builder);
sg_numbers sg_builder_claim_members(const sg_builder *builder);

#endif
