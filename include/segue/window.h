/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The de-duplication window: lets only the first copy of each (SSRC, sequence number) pass
 * (MP-5..MP-8). The same code runs in the kernel and in user space (segue-ua, tests, fuzzing).
 *
 * A window is safe on any number of CPUs without a lock on the way of an ordinary packet: history
 * is made of 64-bit words, each {extended sequence number of its first bit | 32 history bits}, and
 * a packet is claimed by one compare-and-swap of its word. Whoever swaps it in passes; so of two
 * copies that arrive together exactly one does.
 *
 * The newest word stands beside the state that every packet reads, in half a cache line; older
 * words are in a ring elsewhere, which only late packets touch, and every 32nd packet, when the
 * newest word becomes an old one. It is merged into the ring before it is replaced, and merging
 * only ever adds bits, so whichever CPU does it, and however often, no claim is forgotten.
 *
 * Sequence numbers are extended to 32 bits. A restart does not clear the history: it moves the
 * extended number forward, past everything that the ring can still hold, so that all old words are
 * stale at once and no CPU can see a half-cleared ring.
 */
#ifndef SEGUE_WINDOW_H
#define SEGUE_WINDOW_H

#include <linux/types.h>

#include <segue/abi.h>

#define SG_WINDOW_MAX 1024u
#define SG_WINDOW_MIN 64u    /* RFC 3711 section 3.3.2 */
#define SG_MAX_DROPOUT 3000u /* RFC 3550 A.1 */
#define SG_WINDOW_WORDS 35u  /* 1024 packets touch up to 33 words of 32 */
#define SG_WINDOW_LIFT 8192u /* a restart goes beyond SG_MAX_DROPOUT + SG_WINDOW_MAX, twice */
#define SG_CLAIM_TRIES 16u   /* each lost swap is a packet of the same SSRC on another CPU */

#define SG_LOCK_TRIES 256u

#ifdef __bpf__
/* A global function: verified once for itself, not once for each way that leads to it. */
#define SG_WINDOW_FUNCTION __attribute__((noinline))
#else
#define SG_WINDOW_FUNCTION static inline
#endif

#define SG_READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define SG_WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/* Keeps the compiler from using what it knows of `x`, so that a check after it stays in the code.
 */
#define SG_FORGET(x) __asm__ volatile("" : "+r"(x))

/* The older history of one SSRC. All zero: none. */
struct sg_window_ring {
	__u64 word[SG_WINDOW_WORDS];
};

/* The value of sg_history: the rings of one side of a stream. */
struct sg_window_rings {
	struct sg_window_ring ring[SG_SSRCS];
};

/* One side of a stream in one piece, for user space. All zero: empty. */
struct sg_window {
	struct sg_window_ssrc ssrc[SG_SSRCS];
	struct sg_window_rings rings;
	__u32 lock;
};

/* Where a side's windows are; the kernel keeps each in another array element. */
struct sg_window_places {
	struct sg_window_ssrc *at[SG_SSRCS];
	__u32 *lock;
};

struct sg_window_params {
	__u32 window;	  /* W, SG_WINDOW_MIN..SG_WINDOW_MAX */
	__u64 reset_ns;	  /* nothing accepted for so long: accept anything */
	__u64 restart_ns; /* two consecutive numbers restart only after so long without acceptance
			   */
};

/* The next extended number for `sequence` that lies past everything the history can hold. */
static inline __u32 sg_window_lift(__u32 highest, __u16 sequence)
{
	__u32 base = highest + SG_WINDOW_LIFT;

	return base + (__u16)(sequence - (__u16)base);
}

/* Held for some instructions only, by CPUs that nothing interrupts: who cannot get it in so many
 * tries is beside a CPU that its hypervisor stopped. 0, or -1. */
SG_WINDOW_FUNCTION int sg_window_lock(__u32 *lock)
{
	if (!lock)
		return -1;
	for (__u32 i = 0; i < SG_LOCK_TRIES; i++) {
		if (!__sync_val_compare_and_swap(lock, 0u, 1u))
			return 0;
	}
	return -1;
}

static inline void sg_window_unlock(__u32 *lock)
{
	__sync_val_compare_and_swap(lock, 1u, 0u);
}

/*
 * A place for an SSRC that has none: a free one, or the one whose last acceptance is oldest (MP-8;
 * a free one's is 0). Under the lock, so that two copies of a first packet find the same place.
 * Returns its number, or SG_SSRCS where the lock could not be had.
 */
static inline __u32 sg_window_admit_ssrc(const struct sg_window_places *places, __u64 id,
					 __u16 sequence, __u64 now_ns)
{
	__u64 oldest_ns = ~0ull;
	__u32 chosen = 0;

	if (sg_window_lock(places->lock))
		return SG_SSRCS;
	for (__u32 i = 0; i < SG_SSRCS; i++) {
		struct sg_window_ssrc *s = places->at[i];
		/* Another CPU was quicker: nothing is older than what is wanted. */
		__u64 last_ns = SG_READ_ONCE(s->id) == id ? 0 : s->last_ns + 1;

		if (last_ns < oldest_ns) {
			oldest_ns = last_ns;
			chosen = i;
		}
	}
	for (__u32 i = 0; i < SG_SSRCS; i++) {
		struct sg_window_ssrc *s = places->at[i];

		/* Compared one by one: a computed place is one that verifiers cannot bound. */
		SG_FORGET(chosen);
		if (chosen != i || SG_READ_ONCE(s->id) == id)
			continue;
		/* Past all that the history holds of the SSRC before. */
		SG_WRITE_ONCE(s->highest, sg_window_lift(s->highest, sequence) - 1);
		SG_WRITE_ONCE(s->last_ns, now_ns);
		SG_WRITE_ONCE(s->suspect, 0);
		__sync_val_compare_and_swap(&s->id, s->id, id);
	}
	sg_window_unlock(places->lock);
	return chosen;
}

/* The number of an SSRC's window; SG_SSRCS where it could be given none. */
static inline __u32 sg_window_find(const struct sg_window_places *places, __u32 ssrc,
				   __u16 sequence, __u64 now_ns)
{
	__u64 id = 1ull << 32 | ssrc;

	for (__u32 i = 0; i < SG_SSRCS; i++) {
		if (SG_READ_ONCE(places->at[i]->id) == id)
			return i;
	}
	return sg_window_admit_ssrc(places, id, sequence, now_ns);
}

/*
 * Is `sequence` within reach: ahead by less than SG_MAX_DROPOUT, or behind by less than `window`?
 * Then *extended is its extended number.
 */
static inline int sg_window_reaches(__u32 highest, __u16 sequence, __u32 window, __u32 *extended)
{
	__u16 ahead = (__u16)(sequence - (__u16)highest);
	__u16 behind = (__u16)((__u16)highest - sequence);

	*extended = ahead < SG_MAX_DROPOUT ? highest + ahead : highest - behind;
	return ahead < SG_MAX_DROPOUT || behind < window;
}

/* The word with which `old` becomes one that has `bits` of the word that begins at `first`; `old`
 * itself if it has them, or is of a later time. */
static inline __u64 sg_word_with(__u64 old, __u32 first, __u32 bits)
{
	__s32 newer = (__s32)(first - (__u32)(old >> 32));

	if (newer < 0)
		return old;
	return newer ? ((__u64)first << 32 | bits) : (old | bits);
}

/* Adds the bits of a word to the ring: 1 = some were new, 0 = none, -1 = its place has a later
 * word. */
SG_WINDOW_FUNCTION int sg_ring_add(struct sg_window_ring *ring, __u32 first, __u32 bits)
{
	__u32 index = (first >> 5) % SG_WINDOW_WORDS;
	__u64 *word;

	if (!ring)
		return -1;

	SG_FORGET(index); /* verifiers before 6.10 do not follow a remainder's bounds */
	if (index >= SG_WINDOW_WORDS)
		return -1;
	word = &ring->word[index];
	for (__u32 i = 0; i < SG_CLAIM_TRIES; i++) {
		__u64 old = SG_READ_ONCE(*word);
		__u64 added = sg_word_with(old, first, bits);

		if (added == old)
			return (__u32)(old >> 32) == first ? 0 : -1;
		if (__sync_val_compare_and_swap(word, old, added) == old)
			return 1;
	}
	return 0;
}

/* sg_window_claim() when the newest word is not the packet's, or another CPU was quicker with it.
 */
SG_WINDOW_FUNCTION int sg_window_claim_slow(struct sg_window_ssrc *window,
					    struct sg_window_ring *ring, __u32 extended)
{
	__u32 first = extended & ~31u;
	__u32 bit = 1u << (extended & 31u);

	if (!window || !ring)
		return -1;
	for (__u32 i = 0; i < SG_CLAIM_TRIES; i++) {
		__u64 old = SG_READ_ONCE(window->newest);
		__u32 old_first = (__u32)(old >> 32);
		__u64 claimed = sg_word_with(old, first, bit);

		if (claimed == old)
			return old_first == first ? 0 : sg_ring_add(ring, first, bit);
		if (old_first != first)
			sg_ring_add(ring, old_first, (__u32)old);
		if (__sync_val_compare_and_swap(&window->newest, old, claimed) == old)
			return 1;
	}
	return 0;
}

/* Marks `extended` as seen: 1 = ours, 0 = somebody had it, -1 = behind all that is remembered. */
static inline int sg_window_claim(struct sg_window_ssrc *window, struct sg_window_ring *ring,
				  __u32 extended)
{
	__u64 old = SG_READ_ONCE(window->newest);
	__u64 bit = 1ull << (extended & 31u);

	if ((__u32)(old >> 32) == (extended & ~31u)) {
		if (old & bit)
			return 0;
		if (__sync_val_compare_and_swap(&window->newest, old, old | bit) == old)
			return 1;
	}
	return sg_window_claim_slow(window, ring, extended);
}

/* Was `extended` claimed? */
static inline int sg_window_seen(const struct sg_window_ssrc *window,
				 const struct sg_window_ring *ring, __u32 extended)
{
	__u32 first = extended & ~31u;
	__u32 index = (first >> 5) % SG_WINDOW_WORDS;
	__u64 word = SG_READ_ONCE(window->newest);

	if ((__u32)(word >> 32) != first) {
		SG_FORGET(index);
		word = index < SG_WINDOW_WORDS ? SG_READ_ONCE(ring->word[index]) : 0;
	}
	return (__u32)(word >> 32) == first && word & 1ull << (extended & 31u);
}

/*
 * After a silence a packet may begin a new history (MP-5): any that does not fit the old one once
 * reset_ns have passed, or, after restart_ns, one out of reach that continues the one before it.
 * Only the CPU that swaps last_ns may do so, and it looked at the history between reading and
 * swapping; so of two copies that end a silence on two CPUs one begins, and the other is judged by
 * what it began. Whoever accepts in a long silence swaps last_ns first, for the same reason.
 */
SG_WINDOW_FUNCTION int sg_window_wake(struct sg_window_ssrc *s, struct sg_window_ring *ring,
				      const struct sg_window_params *p, __u16 sequence,
				      __u64 now_ns)
{
	__u64 last_ns;
	__u32 highest, extended;
	int reaches, afresh;

	if (!s || !ring || !p)
		return -1;
	last_ns = SG_READ_ONCE(s->last_ns);
	highest = SG_READ_ONCE(s->highest);
	reaches = sg_window_reaches(highest, sequence, p->window, &extended);
	if ((__s64)(now_ns - last_ns) >= (__s64)p->reset_ns)
		afresh = !reaches || sg_window_seen(s, ring, extended);
	else if (!reaches && SG_READ_ONCE(s->suspect) == (1u << 16 | sequence))
		afresh = 1;
	else
		return 0;
	if (__sync_val_compare_and_swap(&s->last_ns, last_ns, now_ns) != last_ns || !afresh)
		return 0;
	SG_WRITE_ONCE(s->suspect, 0);
	SG_WRITE_ONCE(s->highest, sg_window_lift(highest, sequence) - 1);
	return 1;
}

/*
 * Decides about one RTP packet of the SSRC whose window is `s`. `sequence` in host order; `now_ns`
 * any monotonic clock that never reads 0. Returns SG_NONE if the packet passes, else SG_DUPLICATE,
 * SG_TOO_LATE or SG_JUMP. *late is set if it passes behind the highest number.
 */
static inline enum sg_reason sg_window_accept(struct sg_window_ssrc *s, struct sg_window_ring *ring,
					      const struct sg_window_params *p, __u16 sequence,
					      __u64 now_ns, int *late)
{
	__u32 highest, extended;
	int claim;

	*late = 0;
	/* Signed: another CPU's clock reading may be a little later than ours. */
	if ((__s64)(now_ns - SG_READ_ONCE(s->last_ns)) >= (__s64)p->restart_ns)
		sg_window_wake(s, ring, p, sequence, now_ns);
	highest = SG_READ_ONCE(s->highest);
	if (!sg_window_reaches(highest, sequence, p->window, &extended)) {
		SG_WRITE_ONCE(s->suspect, 1u << 16 | (__u16)(sequence + 1));
		return (__u16)(sequence - (__u16)highest) < 0x8000u ? SG_JUMP : SG_TOO_LATE;
	}
	claim = sg_window_claim(s, ring, extended);
	if (claim <= 0)
		return claim ? SG_TOO_LATE : SG_DUPLICATE;
	SG_WRITE_ONCE(s->last_ns, now_ns);
	/* A plain store: when two CPUs race here the highest number may fall back by a few packets,
	 * which only makes the next ones stand further ahead. The history decides who passes, not
	 * this number. */
	if ((__s32)(extended - highest) > 0)
		SG_WRITE_ONCE(s->highest, extended);
	else
		*late = 1;
	return SG_NONE;
}

#ifndef __bpf__
/* The same for a window in one piece: finds the SSRC's place, then decides. */
static inline enum sg_reason sg_window_pass(struct sg_window *w, const struct sg_window_params *p,
					    __u32 ssrc, __u16 sequence, __u64 now_ns, int *late)
{
	struct sg_window_places places = {{&w->ssrc[0], &w->ssrc[1], &w->ssrc[2], &w->ssrc[3]},
					  &w->lock};
	__u32 i = sg_window_find(&places, ssrc, sequence, now_ns);

	*late = 0;
	if (i >= SG_SSRCS)
		return SG_DUPLICATE;
	return sg_window_accept(&w->ssrc[i], &w->rings.ring[i], p, sequence, now_ns, late);
}
#endif

#endif
