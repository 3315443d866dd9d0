/* Any bytes as an index, any host and path: no answer may come from outside the image.
 *
 * Input: image, host, path, then three bytes: the sizes of host and path, how far the blocks are
 * shifted. The checksums are not looked at: what the reader does must not rest on them.
 */
#include "fuzz.h"

enum { TRAILER = 3, MANY = 40 };

const char *portable_open(sg_index *index, const uint8_t *image, size_t size);
uint32_t portable_get(const sg_index *index, const uint8_t *host, size_t size);
uint32_t portable_get_trail(const sg_index *index, const uint8_t *host, size_t size, sg_trail *trail);
void portable_match_path(const sg_index *index, const sg_trail *trail, const uint8_t *path, size_t size,
    sg_matches *matches);
bool portable_walk(
    const sg_index *index, const uint8_t *host, size_t host_size, const uint8_t *path, size_t path_size,
    sg_found found, void *context);

typedef struct {
    const sg_index *index;
    size_t host_size, path_size;
    size_t count, stop_after;
    sg_step_found last;
    sg_matches matches; /* those of the steps that are paths */
    uint64_t sum; /* of all that was told */
} walked;

static bool note(void *context, const sg_step_found *step)
{
    walked *all = context;
    CHECK(step->host_start <= all->host_size);
    CHECK(step->path_end <= all->path_size);
    CHECK(step->claims > 0 && step->claims < all->index->n_claim_sets);
    if (all->count) {
        CHECK(step->host_start <= all->last.host_start);
        CHECK(step->host_start < all->last.host_start || step->path_end > all->last.path_end);
    }
    all->last = *step;
    if (step->path_end > 0 && all->matches.count++ < SG_MATCHES)
        all->matches.match[all->matches.count - 1] = step->claims * 2 + (step->host_start == 0);
    all->sum = all->sum * 31 + step->host_start * 7 + step->path_end * 3 + step->claims;
    return ++all->count != all->stop_after;
}

static bool are_equal(const sg_matches *a, const sg_matches *b)
{
    if (a->count > SG_MATCHES || b->count > SG_MATCHES)
        return a->count > SG_MATCHES && b->count > SG_MATCHES;
    return a->count == b->count && !memcmp(a->match, b->match, a->count * sizeof *a->match);
}

static void check_walks(
    const sg_index *index, const copied *host, const copied *path, const sg_matches *matches)
{
    walked whole = {.index = index, .host_size = host->size, .path_size = path->size};
    walked twin = whole;
    CHECK(sg_walk(index, host->at, host->size, path->at, path->size, note, &whole));
    CHECK(portable_walk(index, host->at, host->size, path->at, path->size, note, &twin));
    CHECK(whole.count == twin.count && whole.sum == twin.sum);
    if (path->size == 0 || path->at[path->size - 1] != '/')
        CHECK(are_equal(matches, &whole.matches));
    for (size_t stop = 1; stop <= whole.count && stop <= 3; stop++) {
        walked part = {
            .index = index, .host_size = host->size, .path_size = path->size, .stop_after = stop};
        CHECK(!sg_walk(index, host->at, host->size, path->at, path->size, note, &part));
        CHECK(part.count == stop);
    }
}

/* Case and a root dot make no difference. */
static void check_spellings(const sg_index *index, const copied *host, uint32_t set)
{
    copied other = copy(host->at, host->size, 1);
    for (size_t i = 0; i < other.size; i++)
        if ((other.at[i] >= 'a' && other.at[i] <= 'z') || (other.at[i] >= 'A' && other.at[i] <= 'Z'))
            other.at[i] ^= 0x20;
    CHECK(sg_get(index, other.at, other.size) == set);
    free(other.block);
    if (host->size && host->at[host->size - 1] != '.') {
        uint8_t dotted[256];
        memcpy(dotted, host->at, host->size);
        dotted[host->size] = '.';
        CHECK(sg_get(index, dotted, host->size + 1) == set);
    }
}

static void check_many(const sg_index *index, const copied *host, const copied *path)
{
    const uint8_t *hosts[MANY];
    size_t sizes[MANY], n = 0;
    uint32_t sets[MANY + 1];
    hosts[n] = path->at, sizes[n++] = path->size;
    for (size_t start = 0; start <= host->size && n < MANY; start++)
        if (start == 0 || host->at[start - 1] == '.')
            hosts[n] = host->at + start, sizes[n++] = host->size - start;
    for (size_t size = host->size; size > 0 && n < MANY; size--)
        hosts[n] = host->at, sizes[n++] = size - 1;
    sets[n] = 12345;
    sg_get_many(index, n, hosts, sizes, sets);
    CHECK(sets[n] == 12345);
    for (size_t i = 0; i < n; i++) {
        CHECK(sets[i] < index->n_sets);
        CHECK(sets[i] == sg_get(index, hosts[i], sizes[i]));
    }
}

/* Whoever reads the image in Python takes these sections for whole numbers. */
static void check_numbers(const uint8_t *image)
{
    enum { SECTIONS_AT = 80, SET_ENDS = 4, CLAIM_MEMBERS = 7 };
    for (int section = SET_ENDS; section <= CLAIM_MEMBERS; section++) {
        uint64_t place[2];
        memcpy(place, image + SECTIONS_AT + section * sizeof place, sizeof place);
        CHECK(place[1] % 4 == 0);
    }
}

static void check_hashing(uint64_t seed, const copied *part)
{
    /* Each tail, so that a read past the block is one whatever the size. */
    for (size_t start = 0; start <= part->size; start++) {
        const uint8_t *at = part->at + start;
        size_t size = part->size - start;
        CHECK(sg_step(seed, at, size, SG_HOST_FACTOR) == reference_step(seed, at, size, SG_HOST_FACTOR));
        if (size > 24)
            start += size / 3;
    }
}

static void look_up(const sg_index *index, const copied *host, const copied *path)
{
    uint32_t set = sg_get(index, host->at, host->size);
    sg_trail trail, twin;
    CHECK(set < index->n_sets);
    CHECK(portable_get(index, host->at, host->size) == set);
    CHECK(sg_get_trail(index, host->at, host->size, &trail) == set);
    CHECK(portable_get_trail(index, host->at, host->size, &twin) == set && twin.count == trail.count);
    size_t noted = trail.count < SG_TRAIL ? trail.count : SG_TRAIL;
    CHECK(!memcmp(trail.state, twin.state, noted * sizeof *trail.state));
    CHECK(twin.to_the_end == trail.to_the_end);
    sg_matches matches, again;
    sg_match_path(index, &trail, path->at, path->size, &matches);
    portable_match_path(index, &twin, path->at, path->size, &again);
    CHECK(are_equal(&matches, &again));
    if (trail.count <= SG_TRAIL)
        check_walks(index, host, path, &matches);
    else
        CHECK(matches.count > SG_MATCHES);
    check_spellings(index, host, set);
    check_many(index, host, path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < TRAILER)
        return 0;
    size -= TRAILER;
    size_t host_size = data[size], path_size = data[size + 1];
    size_t shift = data[size + 2] % 16;
    if (size < host_size + path_size)
        return 0;
    size -= host_size + path_size;
    copied image = copy(data, size, shift);
    copied host = copy(data + size, host_size, shift / 2);
    copied path = copy(data + size + host_size, path_size, shift / 4);

    CHECK(sg_is_address(host.at, host.size) == reference_is_address(host.at, host.size));
    sg_path_is_plain(path.at, path.size);
    check_hashing(size, &host);
    sg_index index, twin;
    const char *fault = sg_open(&index, image.at, image.size);
    CHECK(!fault == !portable_open(&twin, image.at, image.size));
    if (!fault) {
        check_numbers(image.at);
        look_up(&index, &host, &path);
    }
    free(image.block);
    free(host.block);
    free(path.block);
    return 0;
}
