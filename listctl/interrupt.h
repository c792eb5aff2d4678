/* Ctrl-C and SIGTERM in the middle of a change that is one transaction: the process says what became of it and ends with 130 or 143. Its connection closes
 * with it, so that PostgreSQL rolls back what was not committed. */
#ifndef LISTCTL_INTERRUPT_H
#define LISTCTL_INTERRUPT_H

/* From now on both signals end the process with this sentence, which must stay where it is. */
void interrupt_say(const char *sentence);
/* The file that goes, too, when they end the process, as it is not whole; NULL: none. Its path must stay where it is. */
void interrupt_remove(const char *path);
/* Until interrupt_say() or interrupt_end(), both wait: for a step that must not be left half done. */
void interrupt_wait(void);
/* Both do again what they did before. */
void interrupt_end(void);

#endif
