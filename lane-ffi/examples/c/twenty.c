#include <lane.h>
#include <stdio.h>

int main(void) {
    lane_str config = lane_string("{\"version\": 1, \"groups\": [{\"name\": \"shop\", \"mode\": \"strict\", \"guiding_header\": \"version\","
        "\"services\": [{\"host\": \"web.svc\"}], \"lanes\": [{\"name\": \"v1\"}, {\"name\": \"v2\"}], \"rules\": [{\"name\": \"testers\","
        "\"service\": \"web.svc\", \"match\": [{\"headers\": {\"x-user-group\": {\"exact\": \"qa\"}}}], \"lane\": \"v2\"}]}]}");
    const lane_router *router = NULL;
    lane_error *error = NULL;
    if (lane_router_compile(config, LANE_FORMAT_JSON, NULL, &router, &error) != LANE_OK)
        return fprintf(stderr, "%.*s\n", (int)lane_error_message(error).len, lane_error_message(error).ptr), 1;

    lane_pair header = {lane_string("x-user-group"), lane_string("qa")};
    lane_request request = lane_request_new();
    request.headers = &header, request.headers_len = 1;
    lane_decision decision = lane_decision_new();
    lane_ingress(router, NULL, lane_string("edge"), &request, &decision, NULL);
    printf("%d: %.*s in lane %.*s\n", decision.status, (int)decision.service.len, decision.service.ptr, (int)decision.lane.len, decision.lane.ptr);
    lane_router_free(&router);
}
