/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io.h"
#include "common/memfd.h"
#include "encoderd/select/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t random_state = 88172645463325252u;

static uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Every answer against a plain list of the kept variants. */
static void check_against(const struct rows *rows, const uint64_t *kept, uint64_t nkept)
{
    uint64_t row = 0;

    assert_int_equal(rows->nrows, nkept);
    for (uint64_t i = 0; i < nkept; i++)
        assert_int_equal(rows_variant(rows, i), kept[i]);
    for (uint64_t variant = 0; variant <= rows->nvariants + 2; variant++) {
        while (row < nkept && kept[row] < variant)
            row++;
        assert_int_equal(rows_lower_bound(rows, variant), row);
    }
}

static int load(struct rows *rows, uint64_t nvariants, int fd, struct err *err)
{
    const uint8_t *map = NULL;
    struct stat st = {0};
    int rc;

    *rows = (struct rows){0};
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_set(err, ERR_PEER, "nothing is saved");
    if (memfd_map(fd, (uint64_t)st.st_size, &map, err) != 0)
        return -1;
    rc = rows_read(rows, nvariants, map, (uint64_t)st.st_size, err);
    memfd_unmap(map, (uint64_t)st.st_size);
    return rc;
}

static void check_round_trip(const struct rows *rows, const uint64_t *kept, uint64_t nkept)
{
    struct rows back;
    struct err err = {0};
    int fd;

    assert_int_equal(rows_save(rows, &fd, &err), 0);
    if (rows->bits == NULL) {
        assert_int_equal(fd, -1);
        return;
    }
    assert_int_equal(load(&back, rows->nvariants, fd, &err), 0);
    check_against(&back, kept, nkept);
    rows_free(&back);
    assert_int_equal(load(&back, rows->nvariants + 1, fd, &err), -1);
    close(fd);
}

static void trial(uint64_t nvariants, unsigned density_256)
{
    uint64_t *kept = calloc(nvariants + 1, sizeof *kept), nkept = 0;
    struct err err = {0};
    struct rows rows;

    assert_int_equal(rows_init_none(&rows, nvariants, &err), 0);
    for (uint64_t i = 0; i < nvariants; i++)
        if (random_u64() % 256 < density_256) {
            rows_keep(&rows, i);
            kept[nkept++] = i;
        }
    assert_int_equal(rows_finish(&rows, &err), 0);
    if (nkept == nvariants)
        assert_null(rows.bits);
    check_against(&rows, kept, nkept);
    check_round_trip(&rows, kept, nkept);
    rows_free(&rows);
    free(kept);
}

static void test_random(void **state)
{
    static const uint64_t sizes[] = {0, 1, 2, 63, 64, 65, 511, 512, 513, 1000, 4095, 4096, 20001};
    static const unsigned densities[] = {0, 1, 5, 128, 250, 255, 256};

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (size_t d = 0; d < sizeof densities / sizeof densities[0]; d++)
            trial(sizes[s], densities[d]);
}

static void test_all(void **state)
{
    struct rows rows;

    (void)state;
    rows_init_all(&rows, 10);
    assert_int_equal(rows.nrows, 10);
    assert_int_equal(rows_variant(&rows, 7), 7);
    assert_int_equal(rows_lower_bound(&rows, 7), 7);
    assert_int_equal(rows_lower_bound(&rows, 11), 10);
    rows_free(&rows);
}

static void rows_of_100(struct rows *rows)
{
    struct err err = {0};

    assert_int_equal(rows_init_none(rows, 100, &err), 0);
    rows_keep(rows, 3);
    rows_keep(rows, 99);
    assert_int_equal(rows_finish(rows, &err), 0);
}

/* The saved bytes, altered at one place or two (bit 7 of byte `also`), in a memfd sealed as `seal`
 * says. */
static int altered_twice(size_t at, uint8_t flip, size_t also, size_t cut, bool seal)
{
    uint8_t bytes[256];
    struct rows rows;
    struct err err = {0};
    struct stat st;
    int fd, other;

    rows_of_100(&rows);
    assert_int_equal(rows_save(&rows, &fd, &err), 0);
    rows_free(&rows);
    assert_int_equal(fstat(fd, &st), 0);
    assert_true((size_t)st.st_size <= sizeof bytes);
    assert_int_equal(pread(fd, bytes, sizeof bytes, 0), st.st_size);
    close(fd);
    bytes[at] ^= flip;
    bytes[also] ^= also != 0 ? 0x80 : 0;
    other = memfd_open("test", &err);
    assert_int_equal(io_write_all(other, bytes, (size_t)st.st_size - cut, "test", &err), 0);
    if (seal)
        assert_int_equal(memfd_seal(other, &err), 0);
    return other;
}

static int altered(size_t at, uint8_t flip, size_t cut, bool seal)
{
    return altered_twice(at, flip, 0, cut, seal);
}

static void check_refused(int fd)
{
    struct err err = {0};
    struct rows rows;

    assert_int_equal(load(&rows, 100, fd, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    assert_null(rows.bits);
    close(fd);
}

static void test_load_refuses(void **state)
{
    struct err err = {0};
    struct rows rows;
    int fd = altered(0, 0, 0, true);

    (void)state;
    assert_int_equal(load(&rows, 100, fd, &err), 0);
    assert_int_equal(rows.nrows, 2);
    rows_free(&rows);
    close(fd);

    check_refused(altered(0, 0, 0, false));         /* not sealed */
    check_refused(altered(0, 1, 0, true));          /* magic */
    check_refused(altered(8, 1, 0, true));          /* nvariants */
    check_refused(altered(16, 1, 0, true));         /* nrows */
    check_refused(altered(24, 1, 0, true));         /* one bit more than nrows says */
    check_refused(altered(24, 8, 0, true));         /* one less */
    check_refused(altered(24 + 15, 0x80, 0, true)); /* past the last variant */
    check_refused(altered(0, 0, 1, true));          /* short */
    check_refused(open("/dev/null", 0));
    /* As many bits as nrows says, one of them past the last variant. */
    check_refused(altered_twice(24, 8, 24 + 15, 0, true));
    assert_int_equal(load(&rows, 100, -1, &err), -1);
}

static void test_saved_is_sealed(void **state)
{
    struct rows rows;
    struct err err = {0};
    int fd;

    (void)state;
    rows_of_100(&rows);
    assert_int_equal(rows_save(&rows, &fd, &err), 0);
    rows_free(&rows);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_load_refuses),
        cmocka_unit_test(test_saved_is_sealed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
