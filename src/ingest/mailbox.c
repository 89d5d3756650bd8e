/* Outboxes that grow as records are put into them, emptied by one exchange between all ranks. */
#include "mailbox.h"

#include <string.h>

#include "base/memory.h"
#include "parallel/exchange.h"

void mailbox_open(struct mailbox *m, struct team *team)
{
    *m = (struct mailbox){.team = team, .out = memory_array(struct outbox, team_size(team), "outboxes")};
}

void mailbox_close(struct mailbox *m)
{
    for (int r = 0; m->out && r < team_size(m->team); r++) memory_free(m->out[r].data);
    memory_free(m->out);
    memory_free(m->received);
    *m = (struct mailbox){0};
}

void mailbox_put(struct mailbox *m, int rank, const void *record, size_t bytes)
{
    struct outbox *b = &m->out[rank];
    b->data = memory_grow(b->data, b->bytes + bytes, 1, "rows for another rank");
    memcpy(b->data + b->bytes, record, bytes);
    b->bytes += bytes;
}

int mailbox_exchange(struct mailbox *m, int (*keep)(void *context, const char *records, size_t bytes, struct error *e),
                     void *context, struct error *e)
{
    int size = team_size(m->team), me = team_rank(m->team);
    void **send = memory_array(void *, size, "outboxes");
    size_t *bytes = memory_array(size_t, size, "outboxes");
    for (int r = 0; r < size; r++) send[r] = m->out[r].data, bytes[r] = m->out[r].bytes;
    size_t came = team_exchange(m->team, send, bytes, &m->received, &m->received_room);
    int rc = keep(context, m->out[me].data, m->out[me].bytes, e);
    if (!rc) rc = keep(context, m->received, came, e);
    for (int r = 0; r < size; r++) m->out[r].bytes = 0;
    memory_free(send);
    memory_free(bytes);
    return rc;
}
