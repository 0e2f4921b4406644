/* The packed calls of lane-ffi, as lane-ffi/src/packed.rs describes them. */
#ifndef LANE_PACKED_H
#define LANE_PACKED_H

#include <stddef.h>
#include <stdint.h>

typedef struct lane_packed lane_packed;

uint32_t lane_packed_abi(void);
int64_t lane_packed_compile(const uint8_t *request, size_t length, lane_packed **handle);
int64_t lane_packed_call(const lane_packed *handle, const uint8_t *request, size_t request_length, uint8_t *answer, size_t room);
void lane_packed_free(lane_packed *handle);

#endif
