/*
 * Programs that are wrong, each in one way: whoever runs the tests under a sanitizer runs these too, and fails unless
 * each is reported. The fault is seen only where the library itself is instrumented, not just the C around it.
 *
 *     wrong over-read | leak | use-after-free | overflow | race
 */
#define _POSIX_C_SOURCE 200809L
#include <limits.h>
#include <pthread.h>

#include "check.h"

static const lane_router *router;
static lane_decision shared;

/* A header value said to be longer than it is: the engine reads behind it. */
static void over_read(void) {
    lane_request request = lane_request_new();
    lane_decision decision = lane_decision_new();
    char buffer[LANE_BUFFER_BYTES];
    lane_change items[LANE_CHANGES_LEN];
    lane_changes changes = lane_changes_new(buffer, sizeof buffer, items, LANE_CHANGES_LEN);
    lane_pair line = {{"baggage", 7}, {NULL, 0}};
    line.value = exact("a=1,b=2,version=v1", 18);
    line.value.len += 2;
    request.headers = &line;
    request.headers_len = 1;
    lane_hop(router, NULL, lane_string("mocka"), &request, &decision, &changes);
    free((void *)line.value.ptr);
}

static void leak(void) {
    lane_text *text = NULL;
    lane_decide_json(router, lane_string("{\"hop\":{\"service\":\"mocka\"}}"), 0, &text, NULL);
    text = NULL;
}

/* A second variable holds what the first one gave up. */
static void use_after_free(void) {
    const lane_router *one = small_router(), *other = one;
    lane_request request = lane_request_new();
    lane_decision decision = lane_decision_new();
    lane_router_free(&one);
    lane_hop(other, NULL, lane_string("mocka"), &request, &decision, NULL);
}

static void overflow(void) {
    volatile int most = INT_MAX;
    most = most + 1;
}

/* Two threads decide into one struct. */
static void *into_shared(void *nothing) {
    lane_request request = lane_request_new();
    int i;
    for (i = 0; i < 1000; i++) lane_hop(router, NULL, lane_string("mocka"), &request, &shared, NULL);
    return nothing;
}

static void race(void) {
    pthread_t threads[2];
    int i;
    shared = lane_decision_new();
    for (i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, into_shared, NULL) == 0);
    for (i = 0; i < 2; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(int argc, char **argv) {
    const char *how = argc == 2 ? argv[1] : "";
    router = small_router();
    if (strcmp(how, "over-read") == 0) over_read();
    else if (strcmp(how, "leak") == 0) leak();
    else if (strcmp(how, "use-after-free") == 0) use_after_free();
    else if (strcmp(how, "overflow") == 0) overflow();
    else if (strcmp(how, "race") == 0) race();
    else CHECK(!"one of the ways above");
    lane_router_free(&router);
    return 0;
}
