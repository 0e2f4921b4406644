/*
 * Create, decide, free, over and over: what is left at the end is nothing, which the leak checkers tell. With `steady`
 * the process must not have grown either; not under checkers that keep what is freed for a while.
 *
 *     life ROUNDS [steady]
 */
#define _DEFAULT_SOURCE
#include <sys/resource.h>

#include "check.h"

static const char CONFIG[] =
    "{\"version\":1,\"groups\":[{\"name\":\"g\",\"mode\":\"permissive\",\"context\":{\"baggage\":\"lane\"},\"baseline\":\"v1\","
    "\"services\":[{\"host\":\"a\"}],\"lanes\":[{\"name\":\"v1\"},{\"name\":\"v2\"}],\"rules\":[{\"name\":\"r\",\"service\":\"a\",\"lane\":\"v2\"}]}]}";

static long resident(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_maxrss;
}

static void life(unsigned long number) {
    static char buffer[LANE_BUFFER_BYTES];
    lane_change items[LANE_CHANGES_LEN];
    lane_changes changes = lane_changes_new(buffer, sizeof buffer, items, LANE_CHANGES_LEN);
    lane_decision decision = lane_decision_new();
    lane_request request = lane_request_new();
    lane_pair line = {{"baggage", 7}, {"a=1", 3}};
    const lane_router *router = NULL, *reference = NULL;
    const lane_liveness *liveness = NULL;
    lane_trace_table *table = NULL;
    lane_error *error = NULL;
    lane_text *text = NULL;
    CHECK_STATUS(lane_router_compile(lane_string(CONFIG), LANE_FORMAT_JSON, NULL, &router, &error), LANE_OK);
    CHECK_STATUS(lane_router_share(router, &reference), LANE_OK);
    CHECK_STATUS(lane_liveness_new(router, &liveness), LANE_OK);
    CHECK_STATUS(lane_liveness_set(liveness, lane_string("a"), lane_string("v2"), 1, (uint32_t)(number & 1)), LANE_OK);
    lane_router_free(&router);
    request.headers = &line;
    request.headers_len = 1;
    CHECK_STATUS(lane_ingress(reference, liveness, lane_string("edge"), &request, &decision, &changes), LANE_OK);
    CHECK(says(decision.serving, number & 1 ? "v2" : "v1") && changes.changes_len == 2);
    CHECK_STATUS(lane_hop(reference, liveness, lane_string("a"), &request, &decision, &changes), LANE_OK);
    CHECK(says(decision.lane, "v1"));
    /* The less frequent ways out, each with something to free. */
    switch (number % 16) {
    case 0:
        CHECK_STATUS(lane_explain_hop(reference, liveness, lane_string("a"), &request, &text), LANE_OK);
        break;
    case 1:
        CHECK_STATUS(lane_decide_json(reference, lane_string("{\"hop\":{\"service\":\"a\"}}"), 0, &text, NULL), LANE_OK);
        break;
    case 2:
        CHECK_STATUS(lane_router_compile(lane_string("{}"), LANE_FORMAT_JSON, NULL, &router, &error), LANE_ERR_CONFIG);
        break;
    case 3:
        CHECK_STATUS(lane_trace_table_new(2, 10, &table), LANE_OK);
        CHECK_STATUS(lane_trace_table_remember(table, lane_string("g"), lane_string("t"), lane_string("v2"), number), LANE_OK);
        break;
    }
    lane_text_free(&text);
    lane_error_free(&error);
    lane_trace_table_free(&table);
    lane_liveness_free(&liveness);
    lane_router_free(&reference);
}

int main(int argc, char **argv) {
    unsigned long rounds, number;
    long before = 0, after;
    CHECK(argc == 2 || (argc == 3 && strcmp(argv[2], "steady") == 0));
    rounds = strtoul(argv[1], NULL, 10);
    for (number = 0; number < rounds; number++) {
        /* After a tenth everything that stays has come. */
        if (number == rounds / 10) before = resident();
        life(number);
    }
    after = resident();
    printf("life: %lu rounds, %ld KiB more at the end than after a tenth\n", rounds, after - before);
    CHECK(argc == 2 || after - before < 4096);
    return 0;
}
