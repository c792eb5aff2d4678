/* When a campaign may be sent: "mon-fri 08:00-18:00", by the clocks of its zone. Pure.
 *
 *     window = [days SP] time "-" time
 *     days   = part *("," part)
 *     part   = day ["-" day]          ; sat-mon goes over the end of the week
 *     day    = mon tue wed thu fri sat sun    ; in any case
 *     time   = H:MM / HH:MM           ; the end may be 24:00
 *
 * Without days it is every day. An end that is not after its start is one of the next day: fri 22:00-06:00 closes on Saturday. */
#ifndef LISTCTL_SENDING_WINDOW_H
#define LISTCTL_SENDING_WINDOW_H

#include "base/buf.h"

/* Appends the window to `ranges` ("[480,1080),[1920,2520)": minutes of the week from Monday 00:00, ends excluded; a comma in front unless it
 * is the first) and to `words` as it was written, in lower case ("; " in front). ERR_INVALID with a sentence: it has another form, or is
 * empty. */
enum err sending_window_add(struct view text, struct buf *ranges, struct buf *words, struct buf *why) MUST_USE;

#endif
