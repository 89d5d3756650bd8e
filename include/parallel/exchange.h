/* Records of any length from every rank to every rank. */
#ifndef PARALLEL_EXCHANGE_H
#define PARALLEL_EXCHANGE_H

#include "parallel/team.h"

/* Records for other ranks: send[r], bytes[r] go to rank r (mine are ignored: no message to oneself). What comes lies in *recv, one
 * sender after the other, grown as needed (memory_free; *capacity its size); returns its bytes. Only ranks with something to say to
 * each other exchange messages; no message may reach 2 GB (collective). */
size_t team_exchange(struct team *t, void *const *send, const size_t *bytes, char **recv, size_t *capacity);

#endif
