/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/asks.h"
#include "fused/files/late.h"
#include "fused/files/leases.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int add(struct leases *leases, uint64_t id, uint64_t file, uint64_t offset, uint64_t length,
               uint64_t now)
{
    struct msg_span span = {.lease = id, .offset = offset, .length = length, .at = id * 1000};
    struct err err;

    return leases_add(leases, &span, file, now, &err);
}

static uint64_t id_at(struct leases *leases, uint64_t file, uint64_t offset)
{
    struct lease *lease = leases_find(leases, file, offset);

    return lease != NULL ? lease->id : 0;
}

static uint64_t one_return(struct leases *leases)
{
    uint64_t ids[2] = {0, 0};

    assert_int_equal(leases_take_returns(leases, ids, 2), 1);
    return ids[0];
}

static void find_covers_exactly_its_bytes(void **state)
{
    struct leases leases;

    (void)state;
    leases_init(&leases, 1000);
    assert_int_equal(add(&leases, 1, 0, 100, 50, 0), 0);
    assert_int_equal(id_at(&leases, 0, 99), 0);
    assert_int_equal(id_at(&leases, 0, 100), 1);
    assert_int_equal(id_at(&leases, 0, 149), 1);
    assert_int_equal(id_at(&leases, 0, 150), 0);
    assert_int_equal(id_at(&leases, 1, 120), 0);
    assert_int_equal(leases_find(&leases, 0, 100)->at, 1000);
    leases_free(&leases);
}

static void of_overlapping_ones_the_furthest_reaching_is_found(void **state)
{
    struct leases leases;

    (void)state;
    leases_init(&leases, 1000);
    add(&leases, 1, 0, 0, 100, 0);
    add(&leases, 2, 0, 50, 100, 0);
    add(&leases, 3, 0, 40, 20, 0);
    assert_int_equal(id_at(&leases, 0, 10), 1);
    assert_int_equal(id_at(&leases, 0, 45), 1);
    assert_int_equal(id_at(&leases, 0, 55), 2);
    assert_int_equal(id_at(&leases, 0, 120), 2);
    leases_free(&leases);
}

static void a_lease_goes_back_when_all_of_it_was_served(void **state)
{
    struct leases leases;
    uint64_t ids[2];

    (void)state;
    leases_init(&leases, 1000);
    add(&leases, 7, 0, 0, 100, 0);
    leases_served(&leases, leases_find(&leases, 0, 0), 60, 1);
    assert_int_equal(leases_take_returns(&leases, ids, 2), 0);
    assert_int_equal(id_at(&leases, 0, 0), 7);
    leases_served(&leases, leases_find(&leases, 0, 60), 40, 2);
    assert_int_equal(one_return(&leases), 7);
    assert_null(leases_find(&leases, 0, 0));
    assert_int_equal(leases.bytes, 0);
    leases_free(&leases);
}

static void the_bound_drops_the_least_recently_used(void **state)
{
    struct leases leases;

    (void)state;
    leases_init(&leases, 100);
    add(&leases, 1, 0, 0, 40, 1);
    add(&leases, 2, 0, 40, 40, 2);
    leases_served(&leases, leases_find(&leases, 0, 0), 1, 3);
    assert_int_equal(add(&leases, 3, 0, 80, 40, 4), 0);
    assert_int_equal(one_return(&leases), 2);
    assert_int_equal(id_at(&leases, 0, 0), 1);
    assert_int_equal(id_at(&leases, 0, 80), 3);
    assert_int_equal(leases.bytes, 80);
    leases_free(&leases);
}

static void one_larger_than_the_bound_is_held_alone(void **state)
{
    struct leases leases;

    (void)state;
    leases_init(&leases, 100);
    add(&leases, 1, 0, 0, 40, 1);
    assert_int_equal(add(&leases, 2, 0, 0, 500, 2), 0);
    assert_int_equal(one_return(&leases), 1);
    assert_int_equal(id_at(&leases, 0, 499), 2);
    assert_int_equal(add(&leases, 3, 0, 0, 10, 3), 0);
    assert_int_equal(one_return(&leases), 2);
    leases_free(&leases);
}

static void their_number_is_bounded_too(void **state)
{
    struct leases leases;
    size_t nreturned = 0, n;
    uint64_t ids[PROTO_RETURN_MAX];

    (void)state;
    leases_init(&leases, UINT64_MAX);
    for (uint64_t i = 1; i <= 3 * LEASES_MAX; i++)
        assert_int_equal(add(&leases, i, 0, i, 1, i), 0);
    assert_int_equal(leases.nheld, LEASES_MAX);
    while ((n = leases_take_returns(&leases, ids, PROTO_RETURN_MAX)) > 0)
        nreturned += n;
    assert_int_equal(nreturned, 2 * LEASES_MAX);
    assert_int_equal(id_at(&leases, 0, 2 * LEASES_MAX), 0);
    assert_int_equal(id_at(&leases, 0, 2 * LEASES_MAX + 1), 2 * LEASES_MAX + 1);
    leases_free(&leases);
}

static void an_id_is_known_until_its_return_is_taken(void **state)
{
    struct leases leases;

    (void)state;
    leases_init(&leases, 100);
    add(&leases, 1, 0, 0, 10, 0);
    assert_int_equal(add(&leases, 1, 0, 10, 10, 0), -1);
    leases_drop(&leases, 1);
    assert_int_equal(add(&leases, 1, 0, 10, 10, 0), -1);
    assert_int_equal(one_return(&leases), 1);
    assert_int_equal(add(&leases, 1, 0, 10, 10, 0), 0);
    leases_drop(&leases, 99);
    assert_int_equal(leases.nheld, 1);
    leases_free(&leases);
}

static void idle_ones_and_closed_files_are_dropped(void **state)
{
    struct leases leases;
    uint64_t ids[8];

    (void)state;
    leases_init(&leases, 1000);
    add(&leases, 1, 0, 0, 10, 5);
    add(&leases, 2, 0, 10, 10, 9);
    add(&leases, 3, 1, 0, 10, 10);
    add(&leases, 4, 1, 10, 10, 10);
    leases_drop_idle(&leases, 9);
    assert_int_equal(one_return(&leases), 1);
    leases_drop_file(&leases, 1);
    assert_int_equal(leases_take_returns(&leases, ids, 8), 2);
    assert_int_equal(ids[0] + ids[1], 7);
    assert_int_equal(id_at(&leases, 0, 10), 2);
    leases_clear(&leases);
    assert_int_equal(leases_take_returns(&leases, ids, 8), 0);
    assert_int_equal(leases.bytes, 0);
    leases_free(&leases);
}

static int check(uint64_t offset, uint64_t length, uint64_t at, uint64_t asked)
{
    struct msg_span span = {.offset = offset, .length = length, .at = at};
    struct err err = {0};
    int rc = leases_check_span(&span, asked, 1000, 500, &err);

    if (rc != 0)
        assert_int_equal(err.code, ERR_PEER);
    return rc;
}

static void spans_are_checked(void **state)
{
    (void)state;
    assert_int_equal(check(100, 50, 450, 100), 0);
    assert_int_equal(check(100, 50, 0, 149), 0);
    assert_int_equal(check(0, 500, 0, 7), 0);
    assert_int_equal(check(100, 0, 0, 100), -1);
    assert_int_equal(check(100, 50, 0, 99), -1);
    assert_int_equal(check(100, 50, 0, 150), -1);
    assert_int_equal(check(100, 50, 451, 100), -1);
    assert_int_equal(check(951, 50, 0, 960), -1);
    assert_int_equal(check(950, 50, 0, 999), 0);
    assert_int_equal(check(100, UINT64_MAX - 50, 0, 100), -1);
    assert_int_equal(check(100, 50, UINT64_MAX - 10, 100), -1);
    assert_int_equal(check(UINT64_MAX, 1, 0, UINT64_MAX), -1);
}

static void one_question_serves_many_readers(void **state)
{
    struct asks asks = {0};
    struct ask ask = {.id = 7, .file = 1, .handle = 5, .offset = 100, .length = 50};
    struct ask *added = asks_add(&asks, &ask);

    (void)state;
    assert_non_null(added);
    assert_ptr_equal(asks_by_id(&asks, 7), added);
    assert_null(asks_by_id(&asks, 8));
    assert_ptr_equal(asks_for(&asks, 1, 5, 149), added);
    assert_ptr_equal(asks_for(&asks, 1, 6, 100), added);
    assert_null(asks_for(&asks, 1, 6, 101));
    assert_null(asks_for(&asks, 1, 5, 150));
    added->reach = 400;
    assert_ptr_equal(asks_for(&asks, 1, 5, 499), added);
    assert_null(asks_for(&asks, 1, 5, 500));
    assert_null(asks_for(&asks, 1, 6, 499));
    added->reach = 0;
    assert_null(asks_for(&asks, 1, 5, 99));
    assert_null(asks_for(&asks, 0, 5, 100));
    added->overdue = true;
    assert_null(asks_for(&asks, 1, 5, 100));
    assert_ptr_equal(asks_by_id(&asks, 7), added);
    asks_free(&asks);
    assert_null(asks_by_id(&asks, 7));
}

static void the_oldest_of_those_that_were_late_is_forgotten(void **state)
{
    struct late late = {0};

    (void)state;
    for (uint64_t i = 0; i <= LATE_MAX; i++)
        late_add(&late, 0, i * 10, i * 10 + 2, 0);
    assert_false(late_has(&late, 0, 0, 0));
    for (uint64_t i = 1; i <= LATE_MAX; i++) {
        assert_false(late_has(&late, 0, i * 10 - 1, 0));
        assert_true(late_has(&late, 0, i * 10, 0) && late_has(&late, 0, i * 10 + 1, 0));
        assert_false(late_has(&late, 1, i * 10, 0) || late_has(&late, 0, i * 10 + 2, 0));
    }
}

static void all_that_were_late_are_forgotten_after_a_while(void **state)
{
    struct late late = {0};

    (void)state;
    late_add(&late, 0, 0, 10, 1000);
    late_add(&late, 0, 20, 30, 1000 + LATE_MS);
    assert_true(late_has(&late, 0, 0, 1000 + 2 * LATE_MS));
    assert_false(late_has(&late, 0, 0, 1001 + 2 * LATE_MS));
    late_add(&late, 0, 40, 50, 3000);
    assert_true(late_has(&late, 0, 40, 3000));
    assert_false(late_has(&late, 0, 20, 3000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_covers_exactly_its_bytes),
        cmocka_unit_test(of_overlapping_ones_the_furthest_reaching_is_found),
        cmocka_unit_test(a_lease_goes_back_when_all_of_it_was_served),
        cmocka_unit_test(the_bound_drops_the_least_recently_used),
        cmocka_unit_test(one_larger_than_the_bound_is_held_alone),
        cmocka_unit_test(their_number_is_bounded_too),
        cmocka_unit_test(an_id_is_known_until_its_return_is_taken),
        cmocka_unit_test(idle_ones_and_closed_files_are_dropped),
        cmocka_unit_test(spans_are_checked),
        cmocka_unit_test(one_question_serves_many_readers),
        cmocka_unit_test(the_oldest_of_those_that_were_late_is_forgotten),
        cmocka_unit_test(all_that_were_late_are_forgotten_after_a_while),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
