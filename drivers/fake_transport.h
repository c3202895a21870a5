/*
 * fake_transport.h - a transport without sockets: a fake world, or a script, answers under a
 * virtual clock.
 *
 * Whatever runs above transport.h runs above this one, as fast as it can:
 * nothing happens but in fake_transport_turn, which does the one thing that is
 * due next and moves the clock to it. Requests with a unix_path go to the
 * world's engine, others to the cluster API that is published at the port of
 * their URL. Certificates are not looked at: fake_server.h has real TLS.
 */
#ifndef DRIVERS_FAKE_TRANSPORT_H
#define DRIVERS_FAKE_TRANSPORT_H

#include "base/prng.h"
#include "drivers/fake_world.h"
#include "drivers/transport.h"

/* What a script answers. Strings must last until the exchange is over. */
struct fake_answer {
    int status; /* 0: the exchange fails, as the next two say */
    enum error_kind failure;
    const char *message;
    const char *body; /* NULL: "" */
    size_t length;    /* 0: of the string */
    const char *api_version;
    uint64_t delay_ms;
    bool lasting; /* nothing follows the body, not even its end */
};

/* True if it has an answer; else the world is asked. The request is valid during the call only. */
typedef bool fake_script(void *context, const struct request *request, struct fake_answer *answer);

/* What becomes of one request on its way to the world and back; {0}: nothing. */
struct fake_trouble {
    bool lost;       /* the world does not hear of it */
    bool unanswered; /* nor does the caller ever hear of it: its patience ends */
    bool dropped;    /* the connection ends without a reply */
    bool cut;        /* only half of the body arrives */
    int status;      /* of the answer in place of the world's; 0: the world's own */
    const char *body;
    uint64_t delay_ms; /* before the answer */
};

/* Asked when the request gets to the world. What it hands out must last until the exchange is over.
 */
typedef struct fake_trouble fake_meddler(void *context, const struct request *request);

struct fake_transport {
    struct transport transport;
    struct fake_world *world; /* NULL: only the script answers */
    fake_script *script;      /* may be NULL */
    void *script_context;
    fake_meddler *meddler; /* may be NULL; only between caller and world */
    void *meddler_context;
    struct prng *order; /* of what is due at one moment, and how long a request travels; NULL:
                           oldest first, at once */
    uint64_t now_ms;
    size_t piece_bytes; /* neither on_data nor read_body gets more at once; 0: all that is there */
    size_t requests;    /* handled so far */

    /* its own */
    struct exchange *exchanges;
    struct transport_timer *timers;
    uint64_t sequence, seen_version;
};

void fake_transport_init(struct fake_transport *fake, struct fake_world *world);

/* Forgets what is left; nobody is told. The world stays. */
void fake_transport_done(struct fake_transport *fake);

/* Does what is due next. False if nothing is, now or ever. */
bool fake_transport_turn(struct fake_transport *fake);

/* The port of "https://127.0.0.1:34567/api". */
unsigned fake_url_port(const char *url);

/* How many requests and timers are under way. */
size_t fake_transport_pending(const struct fake_transport *fake);

/* Neither a request nor a timer is left. */
bool fake_transport_idle(const struct fake_transport *fake);

#endif
