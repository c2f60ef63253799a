/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of single streams for whoever looks at them (bpf/capture.h). A stream is captured while
 * its flag is set; a slot that is used again starts without. A reader that is killed leaves flags
 * behind: then the kernel finds nobody to copy for, until the stream is gone or captured again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "internal.h"

#define PAGES 256u /* of each CPU's ring: 1 MB */

struct sg_capture {
	struct sg_relay *relay;
	struct perf_buffer *buffer;
	sg_frame_fn *fn;
	void *context;
	uint64_t lost;
	int lock; /* a socket whose name says that this map is read */
	bool *on; /* [capacity] */
};

static void on_sample(void *context, int cpu, void *data, uint32_t size)
{
	struct sg_capture *capture = context;
	struct sg_capture_head head;
	struct sg_frame frame;

	(void)cpu;
	if (size < sizeof(head))
		return;
	memcpy(&head, data, sizeof(head)); /* a sample stands at a multiple of 4 */
	if (size - sizeof(head) < head.length || head.stream >= capture->relay->capacity ||
	    !capture->on[head.stream])
		return;
	frame = (struct sg_frame){
		.time_ns = head.time_ns,
		.stream = head.stream,
		.ifindex = head.ifindex,
		.direction = (enum sg_capture_direction)head.direction,
		.data = (const char *)data + sizeof(head),
		.length = head.length,
	};
	capture->fn(capture->context, &frame);
}

static void on_lost(void *context, int cpu, unsigned long long count)
{
	struct sg_capture *capture = context;

	(void)cpu;
	capture->lost += count;
}

/* Two readers would take each other's place in the map. The name goes with the process. */
static int lock_map(struct sg_capture *capture, struct sg_error *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);
	int length, ret = 0;

	if (bpf_obj_get_info_by_fd(capture->relay->map_fd[SG_MAP_CAPTURE], &info, &len) < 0)
		return sg_fail(err, -errno, "cannot inspect the map of captures: %s",
			       strerror(errno));
	length = snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "segue-capture-%u", info.id);
	capture->lock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (capture->lock < 0 ||
	    bind(capture->lock, (const struct sockaddr *)&at,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) < 0)
		ret = errno == EADDRINUSE ? -EBUSY : -errno;
	if (ret == -EBUSY)
		return sg_fail(err, ret, "another capture runs: wait for its end, or end it");
	return ret < 0 ? sg_fail(err, ret, "cannot lock the captures: %s", strerror(-ret)) : 0;
}

static int open_buffer(struct sg_capture *capture, struct sg_error *err)
{
	int error;

	capture->buffer = perf_buffer__new(capture->relay->map_fd[SG_MAP_CAPTURE], PAGES, on_sample,
					   on_lost, capture, NULL);
	if (capture->buffer)
		return 0;
	error = errno == EACCES ? EPERM : errno;
	return sg_fail(err, -error, "cannot read frames from the kernel: %s%s", strerror(error),
		       error == EPERM ? ": run as root (CAP_BPF, CAP_PERFMON; where "
					"kernel.perf_event_paranoid is 3, CAP_SYS_ADMIN); a "
					"container has to let perf_event_open(2) through"
				      : "");
}

int sg_capture_open(struct sg_capture **out, struct sg_relay *relay, sg_frame_fn *fn, void *context,
		    struct sg_error *err)
{
	struct sg_capture *capture = calloc(1, sizeof(*capture));
	int ret = -ENOMEM;

	if (capture) {
		*capture = (struct sg_capture){
			.relay = relay, .fn = fn, .context = context, .lock = -1};
		capture->on = calloc(relay->capacity, sizeof(*capture->on));
	}
	if (!capture || !capture->on)
		sg_fail(err, ret, "no memory to capture with");
	else
		ret = lock_map(capture, err);
	if (!ret)
		ret = open_buffer(capture, err);
	if (ret) {
		sg_capture_close(capture);
		return ret;
	}
	*out = capture;
	return 0;
}

static uint16_t *flags_of(const struct sg_capture *capture, uint32_t stream)
{
	return &capture->relay->stream[stream].flags;
}

int sg_capture_stream(struct sg_capture *capture, uint32_t stream)
{
	const struct sg_relay *relay = capture->relay;

	if (stream >= relay->capacity || relay->record[stream].state != SG_STREAM_OPEN)
		return -ENOENT;
	capture->on[stream] = true;
	__atomic_fetch_or(flags_of(capture, stream), SG_STREAM_CAPTURE, __ATOMIC_RELAXED);
	return 0;
}

int sg_capture_poll(struct sg_capture *capture, int timeout_ms)
{
	int ret = perf_buffer__poll(capture->buffer, timeout_ms);

	return ret < 0 && ret != -EINTR ? ret : 0;
}

uint64_t sg_capture_lost(const struct sg_capture *capture)
{
	return capture->lost;
}

void sg_capture_close(struct sg_capture *capture)
{
	if (!capture)
		return;
	for (uint32_t i = 0; capture->on && i < capture->relay->capacity; i++)
		if (capture->on[i])
			__atomic_fetch_and(flags_of(capture, i), (uint16_t)~SG_STREAM_CAPTURE,
					   __ATOMIC_RELAXED);
	perf_buffer__free(capture->buffer);
	if (capture->lock >= 0)
		close(capture->lock);
	free(capture->on);
	free(capture);
}
