/*
 * Eight threads decide, one reloads, one updates the endpoint counts, all at once. What a program needs for it is a
 * lock around two pointers, or what it has instead (RCU, an epoch): each reader takes a reference of its own.
 *
 *     threads ROUNDS
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "check.h"

enum { READERS = 8, DECISIONS = 20 };

/* What is in force: swapped together, under the lock. */
static struct {
    pthread_mutex_t lock;
    const lane_router *router;
    const lane_liveness *liveness;
} current = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL};

static lane_trace_table *table;
static unsigned long rounds;

static void take(const lane_router **router, const lane_liveness **liveness) {
    pthread_mutex_lock(&current.lock);
    CHECK_STATUS(lane_router_share(current.router, router), LANE_OK);
    CHECK_STATUS(lane_liveness_share(current.liveness, liveness), LANE_OK);
    pthread_mutex_unlock(&current.lock);
}

static void put(const lane_router *router, const lane_liveness *liveness) {
    const lane_router *old_router;
    const lane_liveness *old_liveness;
    pthread_mutex_lock(&current.lock);
    old_router = current.router;
    old_liveness = current.liveness;
    current.router = router;
    current.liveness = liveness;
    pthread_mutex_unlock(&current.lock);
    lane_liveness_free(&old_liveness);
    lane_router_free(&old_router);
}

static void reload(void) {
    const lane_router *router = small_router();
    const lane_liveness *liveness = NULL;
    CHECK_STATUS(lane_liveness_new(router, &liveness), LANE_OK);
    put(router, liveness);
}

static void *decide(void *nothing) {
    char *buffer = need(LANE_BUFFER_BYTES), name[LANE_NAME_BYTES];
    lane_change items[LANE_CHANGES_LEN];
    lane_pair lines[2] = {{{"x-user", 6}, {"qa", 2}}, {{"baggage", 7}, {"a=1", 3}}};
    unsigned long round, i;
    (void)nothing;
    for (round = 0; round < rounds; round++) {
        const lane_router *router = NULL;
        const lane_liveness *liveness = NULL;
        take(&router, &liveness);
        for (i = 0; i < DECISIONS; i++) {
            lane_request request = lane_request_new();
            lane_decision decision = lane_decision_new();
            lane_changes changes = lane_changes_new(buffer, LANE_BUFFER_BYTES, items, LANE_CHANGES_LEN);
            size_t len;
            request.headers = lines;
            request.headers_len = 2;
            CHECK_STATUS(lane_ingress(router, liveness, lane_string("edge"), &request, &decision, &changes), LANE_OK);
            CHECK(says(decision.lane, "v2") && (says(decision.serving, "v2") || says(decision.serving, "v1")));
            CHECK((decision.outcome == LANE_OUTCOME_ROUTED) == says(decision.serving, "v2"));
            CHECK(changes.changes_len == 2 && says(items[1].value, "version=v2,a=1"));
            CHECK_STATUS(lane_hop(router, liveness, lane_string("mockb"), &request, &decision, &changes), LANE_OK);
            CHECK_STATUS(lane_trace_table_remember(table, lane_string("traced"), lane_string("t"), lane_string("w2"), round), LANE_OK);
            CHECK_STATUS(lane_trace_table_lane(table, lane_string("traced"), lane_string("t"), 0, name, sizeof name, &len), LANE_OK);
            CHECK(len == 2);
        }
        lane_liveness_free(&liveness);
        lane_router_free(&router);
    }
    free(buffer);
    return NULL;
}

static void *reloading(void *nothing) {
    unsigned long round;
    (void)nothing;
    for (round = 0; round < rounds; round++) reload();
    return NULL;
}

static void *updating(void *nothing) {
    unsigned long round;
    uint32_t i;
    (void)nothing;
    for (round = 0; round < rounds; round++) {
        const lane_router *router = NULL;
        const lane_liveness *liveness = NULL;
        take(&router, &liveness);
        for (i = 0; i < DECISIONS; i++) {
            CHECK_STATUS(lane_liveness_set(liveness, lane_string("mocka"), lane_string("v2"), 3, i % 4), LANE_OK);
            CHECK_STATUS(lane_liveness_set_id(liveness, 0, 0, 1, 1), LANE_OK);
        }
        lane_liveness_free(&liveness);
        lane_router_free(&router);
    }
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[READERS + 2];
    int i;
    CHECK(argc == 2);
    rounds = strtoul(argv[1], NULL, 10);
    CHECK_STATUS(lane_trace_table_new(8, 1000000, &table), LANE_OK);
    reload();
    for (i = 0; i < READERS; i++) CHECK(pthread_create(&threads[i], NULL, decide, NULL) == 0);
    CHECK(pthread_create(&threads[READERS], NULL, reloading, NULL) == 0);
    CHECK(pthread_create(&threads[READERS + 1], NULL, updating, NULL) == 0);
    for (i = 0; i < READERS + 2; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    put(NULL, NULL);
    lane_trace_table_free(&table);
    printf("threads: %d deciding, 1 reloading, 1 updating, %lu rounds each\n", READERS, rounds);
    return 0;
}
