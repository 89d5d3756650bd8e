/* The program's version, and the text by which files say what made them. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H
#define AIPM_VERSION "0.1.0"
/* Program version, git revision if built from a checkout, and compiler: one line. */
const char *version_text(void);
#endif
