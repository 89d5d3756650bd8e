/* Records on their way from the rank that read them to the rank that keeps them. */
#ifndef INGEST_MAILBOX_H
#define INGEST_MAILBOX_H

#include <stddef.h>

#include "base/error.h"
#include "parallel/team.h"

struct mailbox {
    struct team *team;
    struct outbox {
        char *data;
        size_t bytes;
    } * out; /* [ranks] */
    char *received;
    size_t received_room;
};
void mailbox_open(struct mailbox *m, struct team *team);
void mailbox_close(struct mailbox *m);
void mailbox_put(struct mailbox *m, int rank, const void *record, size_t bytes);
/* Hand everything over; `keep` gets the records that are mine, a run of whole ones at a time. Collective; errors are not agreed. */
int mailbox_exchange(struct mailbox *m, int (*keep)(void *context, const char *records, size_t bytes, struct error *e),
                     void *context, struct error *e);

#endif
