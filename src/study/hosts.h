/* Host names of many ranks in few words. Private to study. */
#ifndef STUDY_HOSTS_H
#define STUDY_HOSTS_H

/* name [n, width], NUL-terminated; sorted in place. "a:2 n[001-003,007]:64": hosts that differ in a trailing number and have equally
 * many ranks are drawn together, as SLURM writes them. memory_free. */
char *hosts_compact(char *name, int width, int n);

#endif
